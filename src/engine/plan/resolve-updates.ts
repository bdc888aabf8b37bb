import { FettleError } from '../../domain/error.ts';
import type { LeftOut, PlannedUpdate } from '../../domain/plan.ts';
import type { InstallSettings, Policy } from '../../domain/playbook.ts';
import { leaveOut, selectUpdates } from '../../domain/policy.ts';
import type { NameSettings, Selection, WantedUpdate } from '../../domain/policy.ts';
import type { HostScan } from '../../domain/scan.ts';
import type { SimulatedUpdate, Simulation } from '../../domain/simulation.ts';
import type { PackageId } from '../../domain/update.ts';
import { detailsOf, packageKey, packageLabel } from '../../domain/update.ts';
import type { PackageManager, Pin } from '../../managers/contract/package-manager.ts';

export interface HostWorkload {
  readonly updates: readonly PlannedUpdate[];
  readonly leftOut: readonly LeftOut[];
  readonly downloadBytes: number;
}

/** What the policy takes of one package manager, and how to ask it. */
export interface WorkloadInput {
  readonly scan: Pick<HostScan, 'updates' | 'packages' | 'newPackages'>;
  readonly policy: Policy;
  readonly patchHold: readonly string[];
  readonly names?: NameSettings;
  readonly mode?: InstallSettings['mode'];
  /** Asks the package manager what exactly these pins would do. */
  readonly simulate: (pins: readonly Pin[]) => Promise<Simulation>;
  /** The command that shows an operator the same on the host. */
  readonly simulateCommand?: string;
}

/**
 * Refuses a plan that leaves out anything of a package manager that installs everything or nothing. What the host itself
 * keeps at its version does not count: its administrator has decided on that.
 */
export function refusePartial(
  { name, limits }: Pick<PackageManager, 'name' | 'limits'>,
  { updates, leftOut }: HostWorkload,
  { newPackages }: Pick<Policy, 'newPackages'>,
): void {
  const left = [
    ...leftOut.filter((item) => item.heldBack?.kind !== 'held'),
    ...updates
      .filter(({ from }) => from === null && newPackages === 'refuse')
      .map((item) => ({ ...item, reason: 'a new package, which the playbook refuses' })),
  ].map(({ name: label, to, reason }) => `${label} ${to} (${reason})`);
  if (limits.wholeUpgrade === undefined || left.length === 0) return;
  const more = left.length > 3 ? ` and ${left.length - 3} more` : '';
  throw new FettleError(
    'command',
    `${limits.wholeUpgrade}, and this would leave out ${left.slice(0, 3).join(', ')}${more}`,
    {
      hint: `give this host a playbook that takes every update of ${name}, or resolve on the host what stands in the way`,
      details: { leftOut: left.slice(0, 100) },
    },
  );
}

/** A version no package has: the answer lists the versions that exist. */
const anyVersion = '0';
const maxRounds = 4;
/** Packages that carry a bootable kernel, as Debian and Red Hat name them. */
const kernelName = /^(linux-image-|kernel(-core)?$)/;

/** The part of a scan that one package manager reported. */
export function scanOf(scan: HostScan, manager: string): WorkloadInput['scan'] {
  const isOwn = (item: PackageId): boolean => item.manager === manager;
  return {
    updates: scan.updates.filter(isOwn),
    packages: scan.packages.filter(isOwn),
    ...(scan.newPackages === undefined ? {} : { newPackages: scan.newPackages.filter(isOwn) }),
  };
}

/** The workloads of all package managers of one host as one. */
export function mergeWorkloads(workloads: readonly HostWorkload[]): HostWorkload {
  return {
    updates: workloads.flatMap((item) => item.updates),
    leftOut: workloads.flatMap((item) => item.leftOut),
    downloadBytes: workloads.reduce((sum, item) => sum + item.downloadBytes, 0),
  };
}

/**
 * What shall go in on one host, held against its own package manager: the plan is exactly what a simulation under the
 * plan's own pins does, new dependencies included. What cannot be attained is left out with the reason.
 */
export async function planWorkload(input: WorkloadInput): Promise<HostWorkload> {
  const selection = ofMode(input, selectUpdates(input.scan, input.policy, input.patchHold, input.names));
  if (selection.wanted.length === 0) return { updates: [], leftOut: selection.leftOut, downloadBytes: 0 };
  const additions = await newPackagePins(input, selection.wanted);
  let pins: readonly Pin[] = [...selection.wanted, ...additions];
  for (let round = 0; round < maxRounds; round += 1) {
    const simulation = await input.simulate(pins);
    refuseRemovals(simulation, input.simulateCommand);
    const updates = plannedUpdates(simulation, selection.wanted);
    if (updates.length === 0 || isSameSet(updates, pins)) {
      const leftOut = await missingUpdates(input, { selection, updates, simulation });
      return { updates, leftOut: [...selection.leftOut, ...leftOut], downloadBytes: simulation.downloadBytes };
    }
    pins = updates;
  }
  const leftOut = selection.wanted.map((update) =>
    leaveOut(update, 'the package manager finds no consistent set with it'),
  );
  return { updates: [], leftOut: [...selection.leftOut, ...leftOut], downloadBytes: 0 };
}

/** What cannot be downloaded ahead is left out of a download, and what was not of an install of what is there. */
function ofMode({ scan, mode }: WorkloadInput, selection: Selection): Selection {
  if (mode === undefined) return selection;
  const updates = new Map(scan.updates.map((update) => [packageKey(update), update]));
  const wanted: WantedUpdate[] = [];
  const leftOut: LeftOut[] = [];
  for (const update of selection.wanted) {
    const isThere = updates.get(packageKey(update))?.isDownloaded;
    if (isThere === undefined) leftOut.push(leaveOut(update, 'its package manager cannot download in advance'));
    else if (mode === 'cached' && !isThere)
      leftOut.push(leaveOut(update, 'not downloaded, and install.mode is cached'));
    else wanted.push(update);
  }
  return { wanted, leftOut: [...selection.leftOut, ...leftOut] };
}

/** New dependencies may go in only under a pin of their own; the scan names them, or the host is asked. */
async function newPackagePins(input: WorkloadInput, wanted: readonly WantedUpdate[]): Promise<readonly Pin[]> {
  if (input.policy.newPackages === 'refuse') return [];
  const known = (input.scan.newPackages ?? []).map(({ manager, name, arch, to }) => ({ manager, name, arch, to }));
  const names = new Set(known.map((item) => item.name));
  const wantedKeys = new Set(wanted.map(packageKey));
  const unknown = input.scan.updates.flatMap((update) => {
    if (update.heldBack?.kind !== 'needs-new' || !wantedKeys.has(packageKey(update))) return [];
    return update.heldBack.packages.flatMap((named) => {
      const [name = '', arch = update.arch] = named.split(':');
      return names.has(name) ? [] : [{ manager: update.manager, name, arch, to: anyVersion }];
    });
  });
  if (unknown.length === 0) return known;
  const { available } = await input.simulate([...wanted, ...known, ...unknown]);
  const found = unknown.flatMap((pin) => {
    const newest = (available[packageLabel(pin)] ?? available[pin.name])?.[0]?.version;
    return newest === undefined ? [] : [{ ...pin, to: newest }];
  });
  return [...known, ...found];
}

function plannedUpdates(simulation: Simulation, wanted: readonly WantedUpdate[]): PlannedUpdate[] {
  const byKey = new Map(wanted.map((update) => [packageKey(update), update]));
  return simulation.installs.flatMap((item): PlannedUpdate[] => {
    const own = byKey.get(packageKey(item));
    if (own === undefined) return item.from === null ? [newDependency(item, wanted)] : [];
    if (own.to !== item.to) return [];
    const { class: ownClass, isKernel, reason } = own;
    return [{ ...ownOf(item), class: ownClass, isKernel, ...detailsOf(own), reason, untried: false }];
  });
}

function ownOf({ manager, name, arch, slot, from, to, origins, sizeBytes }: SimulatedUpdate): SimulatedUpdate {
  return {
    ...{ manager, name, arch, ...(slot === undefined ? {} : { slot }), from, to, origins },
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

function newDependency(item: SimulatedUpdate, wanted: readonly WantedUpdate[]): PlannedUpdate {
  const isKernel = kernelName.test(item.name);
  const parents = wanted.filter((update) => !isKernel || update.isKernel);
  const isSecurity = parents.length > 0 && parents.every((update) => update.class === 'security');
  const [parent] = parents;
  const reason =
    parents.length === 1 && parent !== undefined ? `needed by ${parent.name}` : 'a new dependency of the updates';
  return { ...ownOf(item), class: isSecurity ? 'security' : 'other', isKernel, reason, untried: false };
}

function isSameSet(updates: readonly PlannedUpdate[], pins: readonly Pin[]): boolean {
  const keys = new Set(pins.map((pin) => `${packageKey(pin)}=${pin.to}`));
  return keys.size === updates.length && updates.every((update) => keys.has(`${packageKey(update)}=${update.to}`));
}

function refuseRemovals(simulation: Simulation, command?: string): void {
  const [first] = simulation.removes;
  if (first === undefined) return;
  const names = simulation.removes.map(packageLabel).join(', ');
  throw new FettleError('command', `its package manager would remove ${names}; removals are refused`, {
    hint: `${command === undefined ? '' : `run ${command} on the host to see why; `}exclude the update that requires it`,
    details: { removes: simulation.removes.map((item) => `${packageLabel(item)} ${item.version}`) },
  });
}

interface Attained {
  readonly selection: Selection;
  readonly updates: readonly PlannedUpdate[];
  readonly simulation: Simulation;
}

/** Wanted updates that did not go in, each with what stands in its way. */
async function missingUpdates(input: WorkloadInput, attained: Attained): Promise<LeftOut[]> {
  const { selection, updates, simulation } = attained;
  const there = new Set(updates.map(packageKey));
  const missing = selection.wanted.filter((update) => !there.has(packageKey(update)));
  if (missing.length === 0) return [];
  const blockers = await findBlockers(input, attained, missing);
  const blocked = blockers.map((item) => item.name).join(', ');
  return missing.map((update) => {
    if (blockers.length > 0) return leaveOut(update, `needs packages that the playbook excludes (${blocked})`);
    if (update.heldBack?.kind === 'needs-new') return leaveOut(update, `needs new packages that are not available`);
    const error = simulation.errors[0];
    return leaveOut(update, `its package manager keeps it back${error === undefined ? '' : ` (${error})`}`);
  });
}

/** Updates the policy left out without which something wanted does not go in, found by trying with them. */
async function findBlockers(
  input: WorkloadInput,
  { selection, updates }: Attained,
  missing: readonly WantedUpdate[],
): Promise<readonly SimulatedUpdate[]> {
  const candidates = selection.leftOut.filter((item) => item.heldBack === undefined);
  if (candidates.length === 0) return [];
  const { installs } = await input.simulate([...updates, ...missing, ...candidates]);
  const isMissing = new Set(missing.map(packageKey));
  if (!installs.some((item) => isMissing.has(packageKey(item)))) return [];
  const isCandidate = new Set(candidates.map(packageKey));
  return installs.filter((item) => isCandidate.has(packageKey(item)));
}
