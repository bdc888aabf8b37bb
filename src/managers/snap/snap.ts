import { recordOf } from '../../base/record.ts';
import { FettleError } from '../../domain/error.ts';
import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { SimulatedUpdate, Simulation } from '../../domain/simulation.ts';
import { packageKey } from '../../domain/update.ts';
import { readAnswer } from '../contract/answer.ts';
import { judgeInstall } from '../contract/install-outcome.ts';
import type { PackageManager, Pin } from '../contract/package-manager.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import { originsOf, readInstalled, readInstalledSnaps, readPending, readScan, snapId } from './scan.ts';
import type { SnapRow } from './tables.ts';
import { revisionOf, versionOf } from './version.ts';

/** snapd, through its client: docs/package-managers/snap.md. */
export const snap: PackageManager = {
  name: 'snap',
  role: 'software',
  limits: {
    simulation: 'snapd has no dry run; a revision brings in the base and the content snaps that it needs',
    exactVersion: 'snapd refreshes by itself: before and after the planned revision it may install another',
    securityClass: 'the Snap Store does not report which updates close security holes',
  },
  parseState: (sections) => ({ packages: readInstalled(sections), problems: [] }),
  parseScan: readScan,
  simulateRequest: (updates) => ({ rows: rowsOf(updates) }),
  parseSimulation,
  installRequest: (updates, settings) => jobRequest(updates, settings.lockWaitMs),
  repairRequest: (updates, settings) => jobRequest(updates, settings.lockWaitMs),
  readInstall,
};

function jobRequest(updates: readonly PlannedUpdate[], lockWaitMs: number) {
  return { fields: { lock_wait: Math.ceil(lockWaitMs / 1000) }, rows: rowsOf(updates) };
}

function rowsOf(updates: readonly Pin[]): readonly (readonly string[])[] {
  return updates.map(({ name, to }) => [name, revisionOf(to)]);
}

/** What is asked for would go in where it is the very revision that snapd would refresh to by itself. */
function parseSimulation(sections: Sections): Simulation {
  const installed = new Map(readInstalledSnaps(sections).map((row) => [row.name, row]));
  const pending = readPending(sections);
  if (pending.problem !== undefined) {
    throw new FettleError('command', pending.problem.message, {
      hint: 'check the host with: snap refresh --list',
    });
  }
  const offered = new Map(pending.rows.map((row) => [row.name, row]));
  const asked = linesOf(sections, 'snap-asked').map((line) => {
    const [name = '', revision = ''] = line.split(' ', 2);
    return { name, revision, current: installed.get(name), offer: offered.get(name) };
  });
  const ready = asked.flatMap(({ name, revision, current, offer }) =>
    current === undefined || offer?.revision !== revision || current.revision === revision
      ? []
      : [{ size: offer.sizeBytes ?? 0, install: toSimulated(name, current, offer) }],
  );
  return {
    installs: ready.map(({ install }) => install),
    removes: [],
    downloadBytes: ready.reduce((sum, { size }) => sum + size, 0),
    errors: [],
    installed: recordOf(asked.map(({ name, current }) => [packageKey(snapId(name)), standingOf(current)])),
    available: recordOf(asked.map(({ name, current, offer }) => [name, availableOf(current, offer)])),
  };
}

function toSimulated(name: string, current: SnapRow, offer: SnapRow): SimulatedUpdate {
  const origins = originsOf(current, offer);
  return { ...snapId(name), from: versionOf(current), to: versionOf(offer), origins };
}

function standingOf(row: SnapRow | undefined): Simulation['installed'][string] {
  if (row === undefined) return null;
  const version = versionOf(row);
  return row.notes.includes('broken')
    ? { version, state: 'broken', stateDetail: 'broken' }
    : { version, state: 'installed' };
}

/** What the channel has: the installed revision where nothing else is on offer. */
function availableOf(current: SnapRow | undefined, offer: SnapRow | undefined): Simulation['available'][string] {
  const newest = offer ?? current;
  if (current === undefined || newest === undefined) return [];
  return [{ version: versionOf(newest), origins: originsOf(current, newest) }];
}

function readInstall(
  result: JobResult,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const sections = new Map(Object.entries(result.sections));
  const { exitCode, words } = readAnswer(sections, 'snap-installed', 'its client');
  if (exitCode !== 0) throw new FettleError('command', `snapd does not list what is installed: ${words}`);
  const installed = new Map(readInstalled(sections).map((item) => [item.name, item]));
  const results = judgeInstall(planned, {
    installed: ({ name }) => installed.get(name),
    attempted,
    isSame: (left, right) => revisionIn(left) === revisionIn(right),
    messages: readMessages(sections),
  });
  // A refresh that was called off, of a snap that is in all the same, is no news.
  return results.map(({ message, ...rest }) =>
    message === undefined || ['installed', 'already', 'superseded'].includes(rest.state) ? rest : { ...rest, message },
  );
}

/** The revision decides: the publisher's word for it is for people. */
function revisionIn(version: string): string {
  return version.slice(version.lastIndexOf(' ') + 1);
}

const longestMessage = 2_000;

/** Lines of name, revision, how its change ended, and snapd's own words where it did not end well. */
function readMessages(sections: Sections): ReadonlyMap<string, string> {
  return new Map(
    linesOf(sections, 'snap-results').flatMap((line): [string, string][] => {
      const [name = '', , status, words = ''] = line.split('\t', 4);
      return status === 'Done' || words === '' ? [] : [[name, words.slice(0, longestMessage)]];
    }),
  );
}
