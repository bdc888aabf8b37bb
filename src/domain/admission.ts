import { budgetState } from './budget.ts';
import type { BudgetState } from './budget.ts';
import type { Outcome } from './outcome.ts';
import type { Budget } from './playbook.ts';
import type { PlannedWave } from './plan.ts';

/** `rebooting` hosts are running ones that hold one of the reboot slots; `wants-reboot` ones wait for a slot. */
export type AdmissionPhase = 'waiting' | 'running' | 'wants-reboot' | 'rebooting' | 'done';

export interface AdmissionHost {
  readonly host: string;
  /** Index into `waves`, from `effectiveWaves`. */
  readonly wave: number;
  readonly phase: AdmissionPhase;
  readonly outcome?: Outcome;
  /** Members of one cluster never go together. */
  readonly clusters: readonly string[];
  /** The update server it fetches from, where it is known. */
  readonly source?: string;
  /** Hosts that must be over before this one: those reached through it. */
  readonly after: readonly string[];
  /** The machine fettle runs on: goes when every other host is over. */
  readonly isController: boolean;
}

export interface AdmissionState {
  readonly hosts: readonly AdmissionHost[];
  readonly waves: readonly Pick<PlannedWave, 'name' | 'concurrency' | 'budget'>[];
  /** Over the whole run. */
  readonly concurrency: number;
  /** Hosts at once of one source; absent = no limit of its own. */
  readonly perSource?: number;
  /** Hosts rebooting at once; absent = no limit of its own. */
  readonly rebootConcurrency?: number;
  readonly budget: Budget;
  /** The denominator of the run's budget: hosts selected, absent ones included. */
  readonly selected: number;
  /** Outcomes that count although their hosts are in no wave (unreachable when planned). */
  readonly elsewhere: readonly Outcome[];
  /** Nothing more is admitted: an operator, a signal or the ledger said so. */
  readonly isStopping: boolean;
}

export interface Admission {
  /** `running`: go on; `finished`: every host is over; `stopped`: nothing is in flight and nothing more may start. */
  readonly status: 'running' | 'finished' | 'stopped';
  /** Hosts to start now, in order. */
  readonly start: readonly string[];
  /** Hosts that may reboot now. They get their slot even on a spent budget: a reboot is on the way to a safe point. */
  readonly reboot: readonly string[];
  /** The wave at work: the first with a host that is not over; undefined when there is none. */
  readonly wave: number | undefined;
  readonly budget: BudgetState;
  /** Why nothing more starts. */
  readonly spent?: { readonly scope: 'run' | 'wave'; readonly name: string; readonly state: BudgetState };
}

/**
 * Decides what may start, after every result anew. Pure. Waves are barriers: one starts only when every host of the
 * ones before is over. Within a wave hosts go in order, sliding through the smaller of the run's and the wave's
 * concurrency; a host that must wait lets later ones pass.
 */
export function admit(state: AdmissionState): Admission {
  const wave = currentWave(state.hosts);
  const budget = runBudget(state);
  const spent = spentBudget(state, budget);
  const inFlight = state.hosts.filter((host) => isInFlight(host.phase));
  const base = { reboot: admitReboots(state), wave, budget };
  if (wave === undefined) return { ...base, status: 'finished', start: [] };
  if (spent !== undefined || state.isStopping) {
    const status = inFlight.length === 0 ? 'stopped' : 'running';
    return { ...base, status, start: [], ...(spent === undefined ? {} : { spent }) };
  }
  return { ...base, status: 'running', start: pickHosts(state, wave, inFlight) };
}

function isInFlight(phase: AdmissionPhase): boolean {
  return phase !== 'waiting' && phase !== 'done';
}

function currentWave(hosts: readonly AdmissionHost[]): number | undefined {
  const open = hosts.filter((host) => host.phase !== 'done').map((host) => host.wave);
  return open.length === 0 ? undefined : Math.min(...open);
}

function outcomesOf(hosts: readonly AdmissionHost[]): Outcome[] {
  return hosts.flatMap((host) => (host.phase === 'done' && host.outcome !== undefined ? [host.outcome] : []));
}

function runBudget(state: AdmissionState): BudgetState {
  return budgetState(state.budget, state.selected, [...outcomesOf(state.hosts), ...state.elsewhere]);
}

/** The run's budget, or that of any wave up to the one at work: an overspent wave is never left behind. */
function spentBudget(state: AdmissionState, run: BudgetState): Admission['spent'] {
  if (run.isExceeded) return { scope: 'run', name: 'run', state: run };
  for (const [index, wave] of state.waves.entries()) {
    const hosts = state.hosts.filter((host) => host.wave === index);
    const own = budgetState(wave.budget, hosts.length, outcomesOf(hosts));
    if (own.isExceeded) return { scope: 'wave', name: wave.name, state: own };
  }
  return undefined;
}

function pickHosts(state: AdmissionState, wave: number, inFlight: readonly AdmissionHost[]): string[] {
  const limit = Math.max(1, state.waves[wave]?.concurrency ?? state.concurrency);
  let room = Math.min(
    Math.max(1, state.concurrency) - inFlight.length,
    limit - inFlight.filter((host) => host.wave === wave).length,
  );
  const busyClusters = new Set(inFlight.flatMap((host) => host.clusters));
  const load = loadOf(inFlight);
  const waiting = state.hosts.filter((host) => host.wave === wave && host.phase === 'waiting');
  const picked: string[] = [];
  for (const host of waiting) {
    if (room <= 0) break;
    if (host.clusters.some((cluster) => busyClusters.has(cluster)) || !isItsTurn(host, state.hosts)) continue;
    if (isFull(load, host.source, state.perSource)) continue;
    addTo(load, host.source);
    for (const cluster of host.clusters) busyClusters.add(cluster);
    picked.push(host.host);
    room -= 1;
  }
  const first = waiting[0];
  // Two hosts that wait for each other would wait for ever: with nothing in flight the first in order goes.
  return picked.length === 0 && inFlight.length === 0 && first !== undefined ? [first.host] : picked;
}

/** Hosts in flight by their source. One that leaves its server in peace, rebooting say, may come back to it: it counts. */
function loadOf(inFlight: readonly AdmissionHost[]): Map<string, number> {
  const load = new Map<string, number>();
  for (const { source } of inFlight) addTo(load, source);
  return load;
}

function addTo(load: Map<string, number>, source: string | undefined): void {
  if (source !== undefined) load.set(source, (load.get(source) ?? 0) + 1);
}

function isFull(load: ReadonlyMap<string, number>, source: string | undefined, limit = Infinity): boolean {
  return source !== undefined && (load.get(source) ?? 0) >= limit;
}

function isItsTurn(host: AdmissionHost, all: readonly AdmissionHost[]): boolean {
  if (host.isController) return all.every((other) => other.host === host.host || other.phase === 'done');
  const before = new Set(host.after);
  return all.every((other) => !before.has(other.host) || other.host === host.host || other.phase === 'done');
}

function admitReboots(state: AdmissionState): string[] {
  const wanting = state.hosts.filter((host) => host.phase === 'wants-reboot').map((host) => host.host);
  const rebooting = state.hosts.filter((host) => host.phase === 'rebooting').length;
  const room = (state.rebootConcurrency ?? Infinity) - rebooting;
  return wanting.slice(0, Math.max(0, room));
}

export type Placement = Pick<AdmissionHost, 'host' | 'wave' | 'after' | 'isController'>;

/**
 * The wave each host really goes in: a host that others are reached through moves to the last wave of those behind it,
 * the controller to the last of all. Hosts that stand behind each other keep their waves.
 */
export function effectiveWaves(placements: readonly Placement[]): ReadonlyMap<string, number> {
  const waves = new Map(placements.map((item) => [item.host, item.wave]));
  const last = Math.max(0, ...waves.values());
  for (let round = 0; round < placements.length; round += 1) {
    let hasMoved = false;
    for (const item of placements) {
      const own = waves.get(item.host) ?? item.wave;
      const behind = item.after.map((name) => waves.get(name) ?? 0);
      const wanted = item.isController ? last : Math.max(own, ...behind);
      if (wanted === own) continue;
      waves.set(item.host, wanted);
      hasMoved = true;
    }
    if (!hasMoved) break;
  }
  return waves;
}
