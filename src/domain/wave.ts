import { FettleError } from './error.ts';
import type { HostPlan, PlannedWave } from './plan.ts';
import { packageKey } from './update.ts';
import type { Amount, Budget, Rollout, WaveSpec } from './playbook.ts';

/** What the partition must know of a host. */
interface WaveHost {
  readonly name: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface PartitionInput {
  /** Hosts with work, in inventory order. */
  readonly hosts: readonly WaveHost[];
  readonly rollout: Rollout;
  /** For `order: shuffle`; recorded in the plan. */
  readonly seed: number;
  /** Inventory names that a wave's `select` pattern means. */
  readonly select: (pattern: string) => ReadonlySet<string>;
  /** Host → hosts of this inventory its connection passes through. */
  readonly reachedThrough: ReadonlyMap<string, readonly string[]>;
  /** The machine fettle runs on, when it is among the hosts. */
  readonly controller?: string;
}

/** A small generator with 32 bits of state (mulberry32), so that a recorded seed gives the same order for ever. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Fisher-Yates; the same seed and items give the same order. */
export function shuffle<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  const order = [...items];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const [left, right] = [order[at], order[other]];
    if (left === undefined || right === undefined) continue;
    order[at] = right;
    order[other] = left;
  }
  return order;
}

/**
 * How many failures the budget bears among `hosts`, those of the run or of the wave that may fail: idle and absent ones
 * are no part of them. `percent` is rounded down and no less than `atLeast`; with `max` the smaller holds.
 */
export function allowedFailures(budget: Budget, hosts: number): number {
  const { max = Infinity, percent, atLeast = 0 } = budget;
  const share = percent === undefined ? Infinity : Math.max(atLeast, Math.floor((hosts * percent) / 100));
  return Math.min(max, share);
}

/** Hosts whose connection passes through `host`, directly or by another jump host. */
export function reachedBehind(host: string, reachedThrough: PartitionInput['reachedThrough']): ReadonlySet<string> {
  const behind = new Set<string>();
  const open = [host];
  for (let via = open.pop(); via !== undefined; via = open.pop()) {
    for (const [name, jumps] of reachedThrough) {
      if (name === host || behind.has(name) || !jumps.includes(via)) continue;
      behind.add(name);
      open.push(name);
    }
  }
  return behind;
}

/**
 * Assigns hosts to waves. `percent` is of all hosts that the wave may take, rounded up; empty waves are
 * dropped; where a playbook has several, the first of the others allows no failure unless it has a budget of its own,
 * and no other has a budget of its own unless it is written: the run's counts over all of them. A host that others are reached
 * through stands behind them in the order and in no earlier wave, the controller's own machine behind everything.
 * Throws `FettleError('config')` for a host that no wave takes.
 */
export function partitionWaves(input: PartitionInput): PlannedWave[] {
  const waits = waitingFor(input);
  const order = admissionOrder(input, waits);
  const pools = input.rollout.waves.map((spec) => poolOf(spec, input));
  const taken = new Set<string>();
  const dealt = input.rollout.waves.map((spec, index) => {
    const pool = pools[index] ?? new Set<string>();
    const hosts: string[] = [];
    const room = amountOf(spec.take, pool.size);
    for (const name of order) {
      if (hosts.length >= room) break;
      if (taken.has(name) || !pool.has(name) || mustWait(name, waits, taken)) continue;
      taken.add(name);
      hosts.push(name);
    }
    return { spec, hosts };
  });
  const left = order.filter((name) => !taken.has(name));
  const isOrdinary = (name: string): boolean => (waits.get(name) ?? []).length === 0;
  const lost = left.filter((name) => isOrdinary(name) || !pools.some((pool) => pool.has(name)));
  if (lost.length > 0) throw unassigned(lost);
  (dealt.findLast((wave) => wave.hosts.length > 0) ?? dealt.at(-1))?.hosts.push(...left);
  const waves = dealt.filter((wave) => wave.hosts.length > 0);
  const canary = input.rollout.waves.length > 1 ? { max: 0, counts: input.rollout.budget.counts } : undefined;
  return waves.map(({ spec, hosts }, index) => {
    const budget = spec.budget ?? (index === 0 ? canary : undefined);
    const concurrency = Math.min(spec.concurrency ?? input.rollout.concurrency, input.rollout.concurrency);
    return { name: spec.name, hosts, concurrency, ...(budget === undefined ? {} : { budget }) };
  });
}

function unassigned(names: readonly string[]): FettleError {
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return new FettleError('config', `no wave of the playbook takes ${shown}${more}`, {
    hint: 'add a wave with `take: rest`, widen the waves, or narrow targets.select or --limit',
    details: { hosts: names },
  });
}

type WaitMap = ReadonlyMap<string, readonly string[]>;

/** For the controller and each jump host: the hosts that must be over before it. */
function waitingFor(input: PartitionInput): WaitMap {
  const waits = new Map<string, readonly string[]>();
  const ordinary = input.hosts.map((host) => host.name).filter((name) => name !== input.controller);
  for (const jump of new Set([...input.reachedThrough.values()].flat())) {
    const behind = reachedBehind(jump, input.reachedThrough);
    waits.set(
      jump,
      ordinary.filter((name) => behind.has(name)),
    );
  }
  if (input.controller !== undefined) waits.set(input.controller, ordinary);
  return waits;
}

/** Inventory or shuffled order, with jump hosts behind those reached through them and the controller last. */
function admissionOrder(input: PartitionInput, waits: WaitMap): string[] {
  const names = input.hosts.map((host) => host.name);
  const placed = new Set<string>();
  let open = input.rollout.order === 'shuffle' ? shuffle(names, input.seed) : names;
  while (open.length > 0) {
    const ready = open.filter((name) => !mustWait(name, waits, placed));
    // Hosts that stand behind each other would wait for ever: they keep the order they had.
    for (const name of ready.length > 0 ? ready : open) placed.add(name);
    open = open.filter((name) => !placed.has(name));
  }
  return [...placed];
}

function mustWait(name: string, waits: WaitMap, placed: ReadonlySet<string>): boolean {
  return waits.get(name)?.some((other) => !placed.has(other)) === true;
}

function poolOf(spec: WaveSpec, input: PartitionInput): ReadonlySet<string> {
  const selected = spec.select === undefined ? undefined : input.select(spec.select);
  const fits = (host: WaveHost): boolean => selected?.has(host.name) !== false && holdsWhere(spec, host.variables);
  return new Set(input.hosts.filter(fits).map((host) => host.name));
}

function holdsWhere(spec: WaveSpec, variables: WaveHost['variables']): boolean {
  return Object.entries(spec.where ?? {}).every(([name, wanted]) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.some((item) => isScalar(item) && String(item) === String(wanted));
  });
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function amountOf(amount: Amount, poolSize: number): number {
  switch (amount.kind) {
    case 'count':
      return amount.count;
    case 'percent':
      return Math.ceil((poolSize * amount.percent) / 100);
    case 'rest':
      return Infinity;
  }
}

/** Hosts of later waves whose exact version no host of an earlier wave gets first: marked for whoever approves the plan. */
export function markUntried(hosts: readonly HostPlan[]): HostPlan[] {
  const firstWave = new Map<string, number>();
  const keyOf = (update: HostPlan['updates'][number]): string => `${packageKey(update)}=${update.to}`;
  for (const host of hosts) {
    for (const update of host.updates) {
      const known = firstWave.get(keyOf(update)) ?? Infinity;
      firstWave.set(keyOf(update), Math.min(known, host.wave));
    }
  }
  const isUntried = (host: HostPlan, key: string): boolean => host.wave > 0 && firstWave.get(key) === host.wave;
  return hosts.map((host) => ({
    ...host,
    updates: host.updates.map((update) => ({ ...update, untried: isUntried(host, keyOf(update)) })),
  }));
}
