import { recordOf } from '../../base/record.ts';
import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { Simulation, Standing } from '../../domain/simulation.ts';
import { packageKey, packageLabel, type InstalledPackage, type PackageId } from '../../domain/update.ts';
import type { ScriptInput } from '../../remote/script.ts';
import type { PackageManager, Pin } from '../contract/package-manager.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import { readDnfAnswer, type Offer } from './answer.ts';
import { besideNames, idOf, readInstalled } from './installed.ts';
import { readScan, readState } from './scan.ts';

/** dnf 4 and rpm: Red Hat Enterprise Linux 8 and 9 and their kin. docs/package-managers/dnf.md. */
export const dnf: PackageManager = {
  name: 'dnf',
  role: 'system',
  limits: {},
  parseState: readState,
  parseScan: readScan,
  simulateRequest: (updates) => ({ rows: rowsOf(updates) }),
  parseSimulation,
  installRequest: changeRequest,
  refreshRequest: (lockWaitMs) => ({ fields: { lock_wait: Math.ceil(lockWaitMs / 1000) } }),
  repairRequest: changeRequest,
  readInstall,
  compareVersions: compareRpmVersions,
};

function changeRequest(updates: readonly PlannedUpdate[], { lockWaitMs }: InstallSettings): ScriptInput {
  return { fields: { lock_wait: Math.ceil(lockWaitMs / 1000) }, rows: rowsOf(updates) };
}

function rowsOf(updates: readonly Pin[]): readonly (readonly string[])[] {
  return updates.map(({ name, arch, to }) => [name, arch, to]);
}

function parseSimulation(sections: Sections): Simulation {
  const answer = readDnfAnswer(sections);
  const beside = new Set([
    ...besideNames(sections),
    ...[...answer.versions, ...answer.installs].filter((item) => item.isBeside).map(({ name }) => name),
  ]);
  const standings = standingsOf(readInstalled(sections));
  const asked = linesOf(sections, 'dnf-asked').map((line): readonly [string, Standing | null] => {
    const [name = '', arch = '', to = ''] = line.split(',', 3);
    const id = slotted({ name, arch, to }, beside);
    return [packageKey(id), standings(id)];
  });
  return {
    installs: answer.installs.map((step) => ({
      ...slotted(step, beside),
      from: step.from,
      to: step.to,
      origins: [step.repository],
    })),
    removes: answer.removes.map(({ name, arch, evr }) => ({ ...idOf({ name, arch }), version: evr })),
    downloadBytes: answer.installs.reduce((sum, { size }) => sum + size, 0),
    errors: answer.troubles,
    installed: recordOf(asked),
    available: availableOf(answer.versions),
  };
}

/** What is installed beside others of its name is known by its version, too. */
function slotted({ name, arch, to }: Pick<Pin, 'name' | 'arch' | 'to'>, beside: ReadonlySet<string>): PackageId {
  return { ...idOf({ name, arch }), ...(beside.has(name) ? { slot: to } : {}) };
}

/** Of a version that is not there beside others, the newest that is. */
function standingsOf(packages: readonly InstalledPackage[]): (id: PackageId) => Standing | null {
  const byKey = new Map(packages.map((item) => [packageKey(item), item]));
  // The newest comes first.
  const newest = new Map(packages.toReversed().map((item) => [packageLabel(item), item]));
  return (id) => {
    const found = byKey.get(packageKey(id)) ?? newest.get(packageLabel(id));
    if (found === undefined) return null;
    const { version, state, stateDetail } = found;
    return { version, state, ...(stateDetail === undefined ? {} : { stateDetail }) };
  };
}

/** Newest first. */
function availableOf(versions: readonly Offer[]): Simulation['available'] {
  const found = new Map<string, Offer[]>();
  for (const offer of versions) {
    const offers = found.get(packageLabel(offer)) ?? [];
    found.set(packageLabel(offer), offers);
    offers.push(offer);
  }
  return recordOf(
    [...found].map(([label, offers]) => [
      label,
      offers
        .toSorted((left, right) => compareRpmVersions(right.evr, left.evr))
        .map(({ evr, repositories }) => ({ version: evr, origins: repositories })),
    ]),
  );
}

function readInstall(
  result: JobResult,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const sections = new Map(Object.entries(result.sections));
  const installed = new Map(readInstalled(sections).map((item) => [packageKey(item), item]));
  const tried = new Map(attempted.map((update) => [packageKey(update), update]));
  const failing = failingScripts(sections);
  return planned.map((item): UpdateResult => {
    const { manager, name, arch, slot, from, to } = item;
    const update = tried.get(packageKey(item));
    const now = installed.get(packageKey(item));
    const message = failing.get(name);
    const base = {
      ...{ manager, name, arch, ...(slot === undefined ? {} : { slot }), from, to, now: now?.version ?? null },
      ...(message === undefined ? {} : { message }),
    };
    if (now === undefined) return { ...base, state: from === null || slot !== undefined ? missing(update) : 'removed' };
    if (now.state === 'broken') return { ...base, state: 'broken' };
    if (now.version === to) return { ...base, state: update === undefined ? 'already' : 'installed' };
    const isAhead = compareRpmVersions(now.version, to) > 0;
    if (isAhead && (update === undefined || now.version === update.to)) return { ...base, state: 'superseded' };
    return { ...base, state: missing(update) };
  });
}

function missing(update: PlannedUpdate | undefined): 'failed' | 'not-installed' {
  return typeof update?.from === 'string' ? 'failed' : 'not-installed';
}

/** `Error in POSTIN scriptlet in rpm package NAME`: rpm goes on after most of them, and the package is in. */
function failingScripts(sections: Sections): ReadonlyMap<string, string> {
  return new Map(
    linesOf(sections, 'dnf-failing').flatMap((line): [string, string][] => {
      const at = line.lastIndexOf(' ');
      return at < 0 ? [] : [[line.slice(at + 1), line.slice(0, 500)]];
    }),
  );
}
