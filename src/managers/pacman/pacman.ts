import { recordOf } from '../../base/record.ts';
import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { Simulation, Standing } from '../../domain/simulation.ts';
import { packageKey, packageLabel } from '../../domain/update.ts';
import type { ScriptInput } from '../../remote/script.ts';
import type { PackageManager, Pin } from '../contract/package-manager.ts';
import { judgeInstall } from '../contract/install-outcome.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import { compareAlpmVersions } from '../versions/alpm.ts';
import { idOf, readDatabase, readInstalled } from './answer.ts';
import { readScan, readState } from './scan.ts';
import { readUpgrade } from './upgrade.ts';

/** pacman: Arch Linux and its kin. docs/package-managers/pacman.md. */
export const pacman: PackageManager = {
  name: 'pacman',
  role: 'system',
  limits: {
    wholeUpgrade: 'Arch Linux does not support partial upgrades',
    exactVersion: 'its repositories keep only the newest version of a package: an older plan drifts',
    securityClass: 'its repositories do not say which updates close security holes',
  },
  remedies: { simulate: 'pacman -Sup', repair: 'pacman -S NAME of each', clean: 'pacman -Sc' },
  parseState: readState,
  parseScan: readScan,
  simulateRequest: (updates) => ({ rows: rowsOf(updates) }),
  parseSimulation,
  installRequest: changeRequest,
  refreshRequest: (lockWaitMs) => ({ fields: { lock_wait: Math.ceil(lockWaitMs / 1000) } }),
  repairRequest: changeRequest,
  readInstall,
  compareVersions: compareAlpmVersions,
};

function changeRequest(updates: readonly PlannedUpdate[], { lockWaitMs }: InstallSettings): ScriptInput {
  return { fields: { lock_wait: Math.ceil(lockWaitMs / 1000) }, rows: rowsOf(updates) };
}

function rowsOf(updates: readonly Pin[]): readonly (readonly string[])[] {
  return updates.map(({ name, arch, to }) => [name, arch, to]);
}

/** What an upgrade would do, whatever was asked for: nothing where it cannot be made as a whole. */
function parseSimulation(sections: Sections): Simulation {
  const database = readDatabase(sections);
  const upgrade = readUpgrade(sections, database);
  const { steps, offers, replaced, troubles } = upgrade;
  const there = new Map(readInstalled(sections).map((item) => [packageKey(item), item]));
  const asked = linesOf(sections, 'pacman-asked').map((line) => {
    const [name = '', arch = ''] = line.split(',', 3);
    return idOf(name, arch);
  });
  const standing = (key: string): Standing | null => {
    const found = there.get(key);
    if (found === undefined) return null;
    const { version, state, stateDetail } = found;
    return { version, state, ...(stateDetail === undefined ? {} : { stateDetail }) };
  };
  const going = troubles.length === 0 ? steps : [];
  return {
    installs: going.map(({ name, version, repository, size }) => {
      const current = database.get(name);
      return {
        ...idOf(name, current?.arch ?? offers.get(name)?.arch ?? ''),
        from: current?.version ?? null,
        to: version,
        origins: [repository],
        ...(size === 0 ? {} : { sizeBytes: size }),
      };
    }),
    removes: replaced.map(({ old }) => ({ ...idOf(old.name, old.arch), version: old.version })),
    downloadBytes: going.reduce((sum, { size }) => sum + size, 0),
    errors: troubles,
    installed: recordOf(asked.map((id): [string, Standing | null] => [packageKey(id), standing(packageKey(id))])),
    available: recordOf(
      asked.flatMap((id) => {
        const offer = offers.get(id.name);
        return offer === undefined
          ? []
          : [[packageLabel(id), [{ version: offer.version, origins: [offer.repository] }]] as const];
      }),
    ),
  };
}

/** By name: there is one package of each, and its architecture may have changed. */
function readInstall(
  result: JobResult,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const sections = new Map(Object.entries(result.sections));
  const installed = new Map(readInstalled(sections).map((item) => [item.name, item]));
  const details = [...installed].flatMap(([name, { stateDetail }]): [string, string][] =>
    stateDetail === undefined ? [] : [[name, stateDetail]],
  );
  const failing = linesOf(sections, 'pacman-failing').map((name): [string, string] => [
    name,
    'a script of the package failed',
  ]);
  const results = judgeInstall(planned, {
    installed: ({ name }) => installed.get(name),
    attempted,
    compare: compareAlpmVersions,
    messages: new Map([...failing, ...details]),
  });
  // pacman goes on after a script that fails: the package is in, and not set up.
  return results.map((item) =>
    item.state === 'installed' && item.message !== undefined ? { ...item, state: 'broken' } : item,
  );
}
