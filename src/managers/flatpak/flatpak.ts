import { recordOf } from '../../base/record.ts';
import { FettleError } from '../../domain/error.ts';
import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { Simulation, Standing } from '../../domain/simulation.ts';
import { packageKey, packageLabel } from '../../domain/update.ts';
import { judgeInstall } from '../contract/install-outcome.ts';
import type { PackageManager, Pin } from '../contract/package-manager.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import { readMasks } from './masks.ts';
import { commitOf, flatpakId, versionOf, type FlatpakRow } from './refs.ts';
import {
  listProblem,
  obstacleOf,
  readInstalled,
  readOffers,
  readScan,
  readState,
  refsOf,
  remoteProblems,
} from './scan.ts';

/** flatpak, as far as it is installed for the whole system: docs/package-managers/flatpak.md. */
export const flatpak: PackageManager = {
  name: 'flatpak',
  role: 'software',
  limits: {
    simulation: 'flatpak has no dry run; an update that needs another runtime or ends in another app is left out',
    exactVersion: 'a remote may drop a commit: what is no longer on offer is drift',
    securityClass: 'remotes of flatpak do not report which updates close security holes',
  },
  remedies: { simulate: 'flatpak remote-ls --system --updates --all', repair: 'flatpak repair --system' },
  parseState: readState,
  parseScan: readScan,
  simulateRequest: (updates) => ({ rows: rowsOf(updates) }),
  parseSimulation,
  installRequest: (updates) => ({ rows: rowsOf(updates) }),
  readInstall,
};

function rowsOf(updates: readonly Pin[]): readonly (readonly string[])[] {
  return updates.map(({ name, arch, to }) => [name, arch, commitOf(to)]);
}

/** What is asked for would go in where it is the very commit that flatpak would update to by itself, and nothing else. */
function parseSimulation(sections: Sections): Simulation {
  const problem = listProblem(sections) ?? remoteProblems(sections)[0]?.message;
  if (problem !== undefined) {
    throw new FettleError('command', problem, { hint: 'check the host with: flatpak remote-ls --system --updates' });
  }
  const installed = readInstalled(sections);
  const masks = readMasks(sections);
  const refs = refsOf(installed);
  const current = new Map(installed.map((row) => [packageKey(flatpakId(row)), row]));
  const offers = new Map(readOffers(sections).map((row) => [packageKey(flatpakId(row)), row]));
  const asked = linesOf(sections, 'flatpak-asked').map((line) => {
    const [name = '', words = '', commit = ''] = line.split(',', 3);
    const [arch = '', branch = ''] = words.split('/', 2);
    const id = flatpakId({ name, arch, branch });
    return { id, commit, current: current.get(packageKey(id)), offer: offers.get(packageKey(id)) };
  });
  const ready = asked.flatMap(({ id, commit, current: now, offer }) =>
    now === undefined || offer?.commit !== commit || obstacleOf(offer, refs, masks) !== undefined
      ? []
      : [
          {
            ...id,
            from: versionOf(now),
            to: versionOf(offer),
            origins: [offer.remote],
            sizeBytes: offer.sizeBytes ?? 0,
          },
        ],
  );
  return {
    installs: ready,
    removes: [],
    downloadBytes: ready.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    errors: [],
    installed: recordOf(asked.map((item) => [packageKey(item.id), standingOf(item.current)])),
    available: recordOf(asked.map((item) => [packageLabel(item.id), availableOf(item.offer ?? item.current)])),
  };
}

function standingOf(row: FlatpakRow | undefined): Standing | null {
  return row === undefined ? null : { version: versionOf(row), state: 'installed' };
}

function availableOf(row: FlatpakRow | undefined): Simulation['available'][string] {
  return row === undefined ? [] : [{ version: versionOf(row), origins: [row.remote] }];
}

function readInstall(
  result: JobResult,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const sections = new Map(Object.entries(result.sections));
  const problem = listProblem(sections);
  if (problem !== undefined) throw new FettleError('command', problem);
  const installed = new Map(readState(sections).packages.map((item) => [packageKey(item), item]));
  return judgeInstall(planned, {
    installed: (item) => installed.get(packageKey(item)),
    attempted,
    isSame: (left, right) => commitOf(left) === commitOf(right),
    messages: readMessages(sections),
  });
}

/** Lines of `NAME/ARCH/BRANCH` and flatpak's own words, of what did not go in. */
function readMessages(sections: Sections): ReadonlyMap<string, string> {
  return new Map(
    linesOf(sections, 'flatpak-results').flatMap((line): [string, string][] => {
      const [ref = '', words = ''] = line.split('\t', 2);
      const [name = ''] = ref.split('/', 1);
      return words === '' ? [] : [[name, words]];
    }),
  );
}
