import { Heap } from '../base/heap.ts';
import { addToBudget, countBudget, judgeBudget } from './budget.ts';
import type { BudgetCounts, BudgetState } from './budget.ts';
import type { Outcome } from './outcome.ts';
import type { Budget } from './playbook.ts';
import type { PlannedWave } from './plan.ts';
import { WaitingHosts } from './waiting-hosts.ts';
import type { QueuedHost } from './waiting-hosts.ts';

/** `rebooting` hosts are running ones that hold one of the reboot slots; `wants-reboot` ones wait for a slot. */
export type AdmissionPhase = 'waiting' | 'running' | 'wants-reboot' | 'rebooting' | 'done';

export interface AdmissionHost {
  readonly host: string;
  /** Index into `waves`, from `effectiveWaves`. */
  readonly wave: number;
  readonly phase: AdmissionPhase;
  readonly outcome?: Outcome;
  /** Members of one cluster are never worked on at the same time. */
  readonly clusters: readonly string[];
  /** The update server it fetches from, where it is known. */
  readonly source?: string;
  /** Hosts that must be finished before this one: those reached through it. */
  readonly after: readonly string[];
  /** The machine fettle runs on: starts when every other host is finished. */
  readonly isController: boolean;
}

/** Limits of a whole rollout. */
export interface AdmissionRules {
  readonly waves: readonly Pick<PlannedWave, 'name' | 'concurrency' | 'budget'>[];
  /** Over the whole run. */
  readonly concurrency: number;
  /** Hosts at once of one source; absent = no limit of its own. */
  readonly perSource?: number;
  /** Hosts rebooting at once; absent = no limit of its own. */
  readonly rebootConcurrency?: number;
  readonly budget: Budget;
}

export interface Admission {
  /** `running`: continue; `finished`: every host is finished; `stopped`: nothing is in flight and nothing more may start. */
  readonly status: 'running' | 'finished' | 'stopped';
  /** Hosts to start now, in order. */
  readonly start: readonly string[];
  /** The current wave: the first with an unfinished host; undefined when there is none. */
  readonly wave: number | undefined;
  readonly budget: BudgetState;
  /** Why nothing more starts. */
  readonly spent?: { readonly scope: 'run' | 'wave'; readonly name: string; readonly state: BudgetState };
}

interface Entry extends AdmissionHost {
  phase: AdmissionPhase;
  readonly index: number;
  readonly queued: QueuedHost;
  /** Hosts that must be finished before this one and are not. */
  openBefore: number;
}

/**
 * Decides which hosts may start, again after every result. It keeps count of what changed, so that a decision costs no more for
 * a fleet of ten thousand hosts than for one of ten. Waves are barriers: one starts only when every host of the ones
 * before is finished. Within a wave hosts start in order, sliding through the smaller of the run's and the wave's concurrency;
 * a host that must wait lets later ones pass.
 */
export class AdmissionControl {
  readonly #rules: AdmissionRules;
  readonly #entries: readonly Entry[];
  readonly #byName: ReadonlyMap<string, Entry>;
  readonly #waiting = new WaitingHosts();
  readonly #wanting = new Heap<Entry>();
  /** Name → hosts that wait until it is finished. */
  readonly #behind = new Map<string, Entry[]>();
  readonly #run: BudgetCounts;
  readonly #waves = new Map<number, WaveCounts>();
  #open = 0;
  #inFlight = 0;
  #rebooting = 0;

  constructor(rules: AdmissionRules, hosts: readonly AdmissionHost[]) {
    this.#rules = rules;
    this.#run = countBudget([]);
    this.#entries = hosts.map((host, index) => this.#entryOf(host, index));
    this.#byName = new Map(this.#entries.map((entry) => [entry.host, entry]));
    for (const entry of this.#entries) this.#countPredecessors(entry);
    for (const entry of this.#entries) if (entry.openBefore === 0) this.#waiting.setReady(entry.queued);
    for (const { host, phase, outcome } of hosts) this.change(host, phase, outcome);
  }

  /** A host has changed its state. */
  change(host: string, phase: AdmissionPhase, outcome?: Outcome): void {
    const entry = this.#byName.get(host);
    if (entry !== undefined) this.#move(entry, phase, outcome);
  }

  /** `isStopping`: nothing more is admitted, on request of an operator, a signal or the ledger. */
  decide(isStopping: boolean): Admission {
    const wave = this.#currentWave();
    const state = judgeBudget(this.#rules.budget, this.#entries.length, this.#run);
    const spent = this.#spent(state);
    const base = { wave, budget: state };
    if (wave === undefined) return { ...base, status: 'finished', start: [] };
    if (spent !== undefined || isStopping) {
      const status = this.#inFlight === 0 ? 'stopped' : 'running';
      return { ...base, status, start: [], ...(spent === undefined ? {} : { spent }) };
    }
    return { ...base, status: 'running', start: this.#starts(wave) };
  }

  #entryOf(host: AdmissionHost, index: number): Entry {
    const counts = this.#wave(host.wave);
    counts.hosts += 1;
    counts.open += 1;
    this.#open += 1;
    const { wave, source, clusters } = host;
    const queued = this.#waiting.add({ host: host.host, index }, { wave, source, clusters });
    return { ...host, phase: 'waiting', index, queued, openBefore: 0 };
  }

  /** The controller waits for all others; its count matters when one host is left. */
  #countPredecessors(entry: Entry): void {
    if (entry.isController) {
      entry.openBefore = this.#entries.length === 1 ? 0 : Infinity;
      return;
    }
    for (const name of new Set(entry.after)) {
      if (name === entry.host || !this.#byName.has(name)) continue;
      entry.openBefore += 1;
      const behind = this.#behind.get(name);
      if (behind === undefined) this.#behind.set(name, [entry]);
      else behind.push(entry);
    }
  }

  #move(entry: Entry, phase: AdmissionPhase, outcome: Outcome | undefined): void {
    const [was, is] = [isInFlight(entry.phase), isInFlight(phase)];
    if (entry.phase === 'rebooting') this.#rebooting -= 1;
    if (phase === 'rebooting') this.#rebooting += 1;
    if (phase === 'wants-reboot' && entry.phase !== phase) this.#wanting.push(entry.index, entry);
    if (was !== is) this.#countInFlight(entry, is);
    const isOver = phase === 'done' && entry.phase !== 'done';
    entry.phase = phase;
    entry.queued.isWaiting = phase === 'waiting';
    if (isOver) this.#end(entry, outcome);
  }

  #countInFlight(entry: Entry, is: boolean): void {
    const by = is ? 1 : -1;
    this.#inFlight += by;
    this.#wave(entry.wave).inFlight += by;
    if (is) this.#waiting.begin(entry.queued);
    else this.#waiting.end(entry.queued);
  }

  #end(entry: Entry, outcome: Outcome | undefined): void {
    const counts = this.#wave(entry.wave);
    counts.open -= 1;
    this.#open -= 1;
    if (outcome !== undefined) for (const budget of [this.#run, counts.spent]) addToBudget(budget, outcome);
    for (const other of this.#behind.get(entry.host) ?? []) {
      other.openBefore -= 1;
      if (other.openBefore === 0 && other.phase === 'waiting') this.#waiting.setReady(other.queued);
    }
    if (this.#open !== 1) return;
    const last = this.#entries.find((other) => other.isController && other.phase === 'waiting');
    if (last !== undefined) this.#waiting.setReady(last.queued);
  }

  #wave(wave: number): WaveCounts {
    const known = this.#waves.get(wave);
    if (known !== undefined) return known;
    const counts = { hosts: 0, open: 0, inFlight: 0, spent: countBudget([]) };
    this.#waves.set(wave, counts);
    return counts;
  }

  #currentWave(): number | undefined {
    let current: number | undefined;
    for (const [wave, { open }] of this.#waves) if (open > 0 && wave < (current ?? Infinity)) current = wave;
    return current;
  }

  /** The run's budget, or that of any wave up to the current one: an overspent wave is never passed. */
  #spent(run: BudgetState): Admission['spent'] {
    if (run.isExceeded) return { scope: 'run', name: 'run', state: run };
    for (const [index, wave] of this.#rules.waves.entries()) {
      if (wave.budget === undefined) continue;
      const { hosts, spent } = this.#wave(index);
      const own = judgeBudget(wave.budget, hosts, spent);
      if (own.isExceeded) return { scope: 'wave', name: wave.name, state: own };
    }
    return undefined;
  }

  #starts(wave: number): readonly string[] {
    const { concurrency, waves, perSource = Infinity } = this.#rules;
    const limit = Math.max(1, waves[wave]?.concurrency ?? concurrency);
    const room = Math.min(Math.max(1, concurrency) - this.#inFlight, limit - this.#wave(wave).inFlight);
    const picked = this.#waiting.pick({ wave, room, perSource });
    if (picked.length > 0 || this.#inFlight > 0) return picked;
    // Two hosts that wait for each other would wait for ever: with nothing in flight the first in order starts.
    const first = this.#entries.find((entry) => entry.wave === wave && entry.phase === 'waiting');
    return first === undefined ? [] : [first.host];
  }

  /** Hosts that may reboot now. They get their slot even on a spent budget: a reboot leads to a safe point. */
  reboots(): readonly string[] {
    const room = (this.#rules.rebootConcurrency ?? Infinity) - this.#rebooting;
    const wanting: Entry[] = [];
    while (wanting.length < room) {
      const entry = this.#wanting.pop()?.value;
      if (entry === undefined) break;
      if (entry.phase === 'wants-reboot') wanting.push(entry);
    }
    for (const entry of wanting) this.#wanting.push(entry.index, entry);
    return wanting.map((entry) => entry.host);
  }
}

interface WaveCounts {
  hosts: number;
  open: number;
  inFlight: number;
  readonly spent: BudgetCounts;
}

function isInFlight(phase: AdmissionPhase): boolean {
  return phase !== 'waiting' && phase !== 'done';
}

export type Placement = Pick<AdmissionHost, 'host' | 'wave' | 'after' | 'isController'>;

/**
 * The wave each host really goes in: a host that others are reached through moves to the last wave of those behind it,
 * the controller to the last of all. Hosts that stand behind each other keep their waves.
 */
export function effectiveWaves(placements: readonly Placement[]): ReadonlyMap<string, number> {
  const waves = new Map(placements.map((item) => [item.host, item.wave]));
  const last = Math.max(0, ...waves.values());
  let hasMoved = true;
  for (let rounds = placements.length; hasMoved && rounds > 0; rounds -= 1) {
    hasMoved = false;
    for (const item of placements) {
      const own = waves.get(item.host) ?? item.wave;
      const behind = item.after.map((name) => waves.get(name) ?? 0);
      const wanted = item.isController ? last : Math.max(own, ...behind);
      if (wanted === own) continue;
      waves.set(item.host, wanted);
      hasMoved = true;
    }
  }
  return waves;
}
