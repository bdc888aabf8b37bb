import type { HostPlan, PlannedUpdate } from './plan.ts';
import type { OnDrift } from './playbook.ts';
import type { SimulatedUpdate, Simulation, Standing } from './simulation.ts';
import { findPackage, packageKey, packageLabel } from './update.ts';

export interface DriftInput {
  readonly plan: Pick<HostPlan, 'updates' | 'removals'>;
  /** Under the plan's own pins, so that updates published later do not show. */
  readonly simulation: Simulation;
  readonly onDrift: OnDrift;
  /** What earlier attempts of the run installed in place of planned updates. */
  readonly superseded?: readonly Superseded[];
}

interface Skipped {
  readonly update: PlannedUpdate;
  readonly reason: string;
}

export interface Superseded {
  readonly planned: PlannedUpdate;
  readonly successor: PlannedUpdate;
}

/** How drift changed what is installed; committed with the start of the install. */
export interface Adjustment {
  readonly superseded: readonly Superseded[];
  /** Left out on purpose, by their keys. */
  readonly skipped: readonly string[];
}

export type DriftJudgement =
  /** `install` is what is left to do, `done` what has its planned version already. */
  | { readonly kind: 'clean'; readonly install: readonly PlannedUpdate[]; readonly done: readonly PlannedUpdate[] }
  | { readonly kind: 'drifted'; readonly reasons: readonly string[]; readonly done: readonly PlannedUpdate[] }
  /** To be simulated once more under its own pins and then checked with `installMismatch`. */
  | {
      readonly kind: 'adjusted';
      readonly install: readonly PlannedUpdate[];
      readonly done: readonly PlannedUpdate[];
      readonly skipped: readonly Skipped[];
      readonly superseded: readonly Superseded[];
    };

/** The state of one planned update on the host now. */
type DriftState =
  | { readonly kind: 'done' }
  | { readonly kind: 'as-planned' }
  /** The planned version is no longer in any index of the host. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** The planned version is no longer offered, as happens to such updates several times a day: the others are installed without it. */
  | { readonly kind: 'renewed'; readonly reason: string }
  /** A new dependency that is available, but not required: what needed it may no longer be offered. */
  | { readonly kind: 'idle'; readonly reason: string }
  /** Something newer than planned is installed: nothing is left to do. */
  | { readonly kind: 'passed'; readonly reason: string }
  | { readonly kind: 'other'; readonly reason: string };

/**
 * Does the host's package manager still do exactly what was planned? What has its planned version is done, not
 * drift. A removal or a package the plan does not name refuses the host under every `on_drift`.
 */
export function judgeDrift(input: DriftInput): DriftJudgement {
  const settled = (input.superseded ?? []).filter(({ successor }) => isInstalled(successor, input.simulation));
  const isSettled = new Set(settled.map(({ planned }) => packageKey(planned)));
  const left = input.plan.updates.filter((update) => !isSettled.has(packageKey(update)));
  const standings = left.map((update) => ({ update, standing: driftStateOf(update, input.simulation) }));
  const done = standings.filter(({ standing }) => standing.kind === 'done').map(({ update }) => update);
  const install = standings.filter(({ standing }) => standing.kind === 'as-planned').map(({ update }) => update);
  const beyond = beyondPlan(input.plan, input.simulation);
  const drifts = standings.flatMap(({ update, standing }) => ('reason' in standing ? [{ update, standing }] : []));
  const serious = drifts.filter(({ standing }) => standing.kind !== 'renewed');
  if (beyond.length > 0 || (serious.length > 0 && input.onDrift === 'refuse-host')) {
    return { kind: 'drifted', reasons: [...serious.map(({ standing }) => standing.reason), ...beyond], done };
  }
  if (drifts.length === 0) {
    if (settled.length === 0) return { kind: 'clean', install, done };
    return { kind: 'adjusted', install, done, skipped: [], superseded: settled };
  }
  if (input.onDrift !== 'supersede') {
    const skipped = drifts.map(({ update, standing }) => ({ update, reason: standing.reason }));
    return { kind: 'adjusted', install, done, skipped, superseded: settled };
  }
  return supersede(input, { install, done, drifts, settled });
}

/** The judgements on the parts of a plan, one for each package manager, as one: what drifted in one refuses all. */
export function mergeJudgements(parts: readonly DriftJudgement[]): DriftJudgement {
  const done = parts.flatMap((part) => part.done);
  const drifted = parts.flatMap((part) => (part.kind === 'drifted' ? [part] : []));
  if (drifted.length > 0) return { kind: 'drifted', reasons: drifted.flatMap((part) => part.reasons), done };
  const install = parts.flatMap((part) => (part.kind === 'drifted' ? [] : part.install));
  const adjusted = parts.flatMap((part) => (part.kind === 'adjusted' ? [part] : []));
  if (adjusted.length === 0) return { kind: 'clean', install, done };
  const skipped = adjusted.flatMap((part) => part.skipped);
  const superseded = adjusted.flatMap((part) => part.superseded);
  return { kind: 'adjusted', install, done, skipped, superseded };
}

function driftStateOf(update: PlannedUpdate, simulation: Simulation): DriftState {
  const name = packageLabel(update);
  const current = standingOf(update, simulation);
  if (current?.version === update.to) {
    if (current.state === 'installed') return { kind: 'done' };
    const state = current.stateDetail ?? current.state;
    return { kind: 'other', reason: `${name} is at ${update.to} but not properly installed (${state})` };
  }
  const now = current?.version ?? null;
  const simulated = findPackage(simulation.installs, packageKey(update));
  if (now === update.from && simulated?.to === update.to) return { kind: 'as-planned' };
  if (now === null && update.from !== null) {
    return { kind: 'passed', reason: `${name} is not installed any more (planned from ${update.from})` };
  }
  return changedState(update, now, simulation);
}

/** Neither done nor as planned: the installed version changed, the planned one is gone, or it would not be installed. */
function changedState(update: PlannedUpdate, now: string | null, simulation: Simulation): DriftState {
  const [key, name] = [packageKey(update), packageLabel(update)];
  const versions = offered(update, simulation).map((item) => item.version);
  if (now !== update.from) {
    const reason = `${name} is at ${now ?? 'nothing'}, planned from ${update.from ?? 'nothing'} to ${update.to}`;
    return { kind: hasPassed(update, now, versions) ? 'passed' : 'other', reason };
  }
  if (!versions.includes(update.to)) {
    if (simulation.renewing?.includes(key) === true) {
      return { kind: 'renewed', reason: `${name} ${update.to} was replaced by its publisher since the plan` };
    }
    const successor = simulation.successors?.[key];
    if (successor !== undefined) {
      return {
        kind: 'gone',
        reason: `${name} ${update.to} was replaced by ${packageLabel(successor)} ${successor.to}`,
      };
    }
    return { kind: 'gone', reason: `${name} ${update.to} has left the repository` };
  }
  if (now === null && simulation.errors.length === 0) {
    return { kind: 'idle', reason: `${name} ${update.to} would not be installed (nothing requires it any more)` };
  }
  const why = simulation.errors[0];
  const because = why ?? 'held, or it needs a package that the plan does not name';
  return { kind: 'other', reason: `${name} ${update.to} would not be installed (${because})` };
}

/** Newer than planned: by the order of the index, or as the newest of it where the planned version is gone. */
function hasPassed(update: PlannedUpdate, now: string | null, versions: readonly string[]): boolean {
  const [own, planned, before] = [now ?? '', update.to, update.from ?? ''].map((version) => versions.indexOf(version));
  if (own === undefined || planned === undefined || before === undefined || own < 0) return false;
  return planned >= 0 ? planned > own : own === 0 || before > own;
}

function isInstalled(update: PlannedUpdate, simulation: Simulation): boolean {
  const current = standingOf(update, simulation);
  return current?.version === update.to && current.state === 'installed';
}

function standingOf(update: PlannedUpdate, simulation: Simulation): Standing | null {
  return simulation.installed[packageKey(update)] ?? null;
}

function offered(update: PlannedUpdate, simulation: Simulation): Simulation['available'][string] {
  return simulation.available[packageLabel(update)] ?? simulation.available[update.name] ?? [];
}

/** What the package manager would do that the plan does not name. */
function beyondPlan(plan: DriftInput['plan'], simulation: Simulation): string[] {
  const planned = new Set(plan.updates.map(packageKey));
  const removals = new Set(plan.removals.map(packageKey));
  return [
    ...simulation.installs.filter((item) => !planned.has(packageKey(item))).map(describeExtra),
    ...simulation.removes
      .filter((item) => !removals.has(packageKey(item)))
      .map((item) => `${packageLabel(item)} ${item.version} would be removed, which the plan does not name`),
  ];
}

function describeExtra(item: SimulatedUpdate): string {
  const what = item.from === null ? 'would be newly installed' : `would go from ${item.from} to ${item.to}`;
  return `${packageLabel(item)} ${item.from === null ? `${item.to} ` : ''}${what}, which the plan does not name`;
}

interface Sorted {
  readonly install: readonly PlannedUpdate[];
  readonly done: readonly PlannedUpdate[];
  readonly settled: readonly Superseded[];
  readonly drifts: readonly { readonly update: PlannedUpdate; readonly standing: DriftState & { reason: string } }[];
}

function supersede(input: DriftInput, sorted: Sorted): DriftJudgement {
  const superseded: Superseded[] = [...sorted.settled];
  const skipped: Skipped[] = [];
  const reasons: string[] = [];
  const kept: PlannedUpdate[] = [];
  const hasGone = sorted.drifts.some(({ standing }) => standing.kind === 'gone');
  for (const { update, standing } of sorted.drifts) {
    const { kind } = standing;
    if (isReplacedByPlanned(update, input)) {
      skipped.push({ update, reason: standing.reason });
      continue;
    }
    const mayFollow = kind === 'gone' || kind === 'renewed' || (kind === 'idle' && hasGone);
    const successor = mayFollow ? findSuccessor(update, kind, input) : undefined;
    if (successor !== undefined) superseded.push({ planned: update, successor });
    else if (standing.kind === 'passed' || standing.kind === 'renewed')
      skipped.push({ update, reason: standing.reason });
    // The successor of what needed it may need it too; the simulation of the adjusted set decides.
    else if (standing.kind === 'idle' && hasGone) kept.push(update);
    else reasons.push(standing.kind === 'gone' ? `${standing.reason} and has no successor there` : standing.reason);
  }
  if (reasons.length > 0) return { kind: 'drifted', reasons, done: sorted.done };
  const successors = superseded
    .map((item) => item.successor)
    .filter((update) => !isInstalled(update, input.simulation));
  const install = [...sorted.install, ...kept, ...successors];
  return { kind: 'adjusted', install, done: sorted.done, skipped, superseded };
}

/** What replaces it is installed anyway. */
function isReplacedByPlanned(update: PlannedUpdate, { plan, simulation }: DriftInput): boolean {
  const successor = simulation.successors?.[packageKey(update)];
  if (successor === undefined) return false;
  return plan.updates.some((item) => packageKey(item) === packageKey(successor) && item.to === successor.to);
}

function findSuccessor(
  update: PlannedUpdate,
  kind: 'gone' | 'renewed' | 'idle',
  { plan, simulation }: DriftInput,
): PlannedUpdate | undefined {
  const named = simulation.successors?.[packageKey(update)];
  if (named !== undefined) {
    const { name, arch, to, origins } = named;
    return { ...update, name, arch, to, origins, reason: `stands for ${update.name} ${update.to}, which has left` };
  }
  const own = kind === 'gone' ? successorOf(update, offered(update, simulation)) : undefined;
  if (own !== undefined || update.from !== null) return own;
  // A new ABI has a new name: the image that the same meta-package requires now.
  const planned = new Set(plan.updates.map((item) => item.name));
  const candidates = Object.entries(simulation.available).flatMap(([key, versions]) => {
    const [name = '', arch = update.arch] = key.split(':');
    if (planned.has(name) || arch !== update.arch || !isNewerAbi(name, update.name)) return [];
    return successorOf({ ...update, name }, versions) ?? [];
  });
  return candidates.toSorted((a, b) => byNumbers.compare(b.name, a.name))[0];
}

/** Names of kernels in the order of their ABI: `6.1.0-9` before `6.1.0-31`. */
const byNumbers = new Intl.Collator('en', { numeric: true });

/** `linux-image-6.1.0-32-amd64` after `linux-image-6.1.0-31-amd64`: the same words around a greater ABI number. */
function isNewerAbi(name: string, planned: string): boolean {
  const wordsOf = (text: string): string[] => text.split('-').filter((word) => !/^\d/.test(word));
  const isKernel = /^(linux|kernel)-/.test(planned) && /-\d/.test(planned) && /-\d/.test(name);
  return isKernel && byNumbers.compare(name, planned) > 0 && wordsOf(name).join('-') === wordsOf(planned).join('-');
}

/** The newest version of the same origin above the installed one. */
function successorOf(update: PlannedUpdate, versions: Simulation['available'][string]): PlannedUpdate | undefined {
  const own = versions.findIndex((item) => item.version === update.from);
  const newer = own < 0 ? versions : versions.slice(0, own);
  const origins = new Set(update.origins.map(stableOrigin));
  const match = newer.find((item) => item.origins.some((origin) => origins.has(stableOrigin(origin))));
  if (match === undefined) return undefined;
  return {
    ...update,
    to: match.version,
    origins: match.origins,
    reason: `supersedes ${update.to}, which has left the repository`,
  };
}

/** `Debian:12.5/oldstable` → `Debian/oldstable`: a point release is the same origin. */
function stableOrigin(origin: string): string {
  return origin.replace(/:[^/]*/, '');
}

/** Compares an adjusted set with a simulation under its own pins: every difference, empty when they are equal. */
export function installMismatch(install: readonly PlannedUpdate[], simulation: Simulation): string[] {
  const missing = install.filter((update) => findPackage(simulation.installs, packageKey(update))?.to !== update.to);
  return [
    ...missing.map((update) => `${packageLabel(update)} ${update.to} would not be installed`),
    ...beyondPlan({ updates: install, removals: [] }, simulation),
  ];
}
