import { Heap } from '../base/heap.ts';

/** Hosts of one wave that may go together or not for the same reasons: same update server, same clusters. */
interface Group {
  readonly wave: number;
  readonly source: string | undefined;
  readonly clusters: readonly string[];
  /** Those that wait for no other host, by their place in the order. */
  readonly ready: Heap<QueuedHost>;
  /** Its key in the queue of its source; absent = not queued, or parked until a cluster is free. */
  queuedAt: number | undefined;
  isParked: boolean;
}

export interface QueuedHost {
  readonly host: string;
  /** Place in the order of admission. */
  readonly index: number;
  readonly group: Group;
  isWaiting: boolean;
}

export interface PickLimits {
  readonly wave: number;
  readonly room: number;
  readonly perSource: number;
}

/**
 * The hosts that wait, kept so that the next one is found without going through all of them: groups of like hosts in a
 * heap for each update server, groups with a busy cluster aside until it is free.
 */
export class WaitingHosts {
  readonly #groups = new Map<string, Group>();
  /** By wave, then by source. */
  readonly #queues = new Map<number, Map<string | undefined, Heap<Group>>>();
  /** In flight, by source and by cluster. */
  readonly #load = new Map<string, number>();
  readonly #busy = new Map<string, number>();
  readonly #parked = new Map<string, Group[]>();

  add(at: Pick<QueuedHost, 'host' | 'index'>, of: Pick<Group, 'wave' | 'source' | 'clusters'>): QueuedHost {
    const key = JSON.stringify([of.wave, of.source ?? null, of.clusters.toSorted()]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      const { wave, source, clusters } = of;
      group = { wave, source, clusters, ready: new Heap(), queuedAt: undefined, isParked: false };
      this.#groups.set(key, group);
    }
    return { ...at, group, isWaiting: true };
  }

  /** Nothing that it has to wait for is left. */
  setReady(host: QueuedHost): void {
    host.group.ready.push(host.index, host);
    this.#enqueue(host.group);
  }

  begin({ group }: QueuedHost): void {
    add(this.#load, group.source, 1);
    for (const cluster of group.clusters) add(this.#busy, cluster, 1);
  }

  end({ group }: QueuedHost): void {
    add(this.#load, group.source, -1);
    for (const cluster of group.clusters) {
      add(this.#busy, cluster, -1);
      if (isFree(this.#busy, cluster)) this.#unpark(cluster);
    }
  }

  /** The next hosts in order, at most `room`; they stay in the queue until they begin. */
  pick({ wave, room, perSource }: PickLimits): string[] {
    const picked: QueuedHost[] = [];
    const aside = new Set<Group>();
    const load = new Map<string, number>();
    const busy = new Set<string>();
    const isFull = (source: string | undefined): boolean =>
      source !== undefined && (this.#load.get(source) ?? 0) + (load.get(source) ?? 0) >= perSource;
    while (picked.length < room) {
      const group = this.#nextGroup(wave, isFull);
      if (group === undefined) break;
      const taken = group.clusters.find((cluster) => !isFree(this.#busy, cluster));
      if (taken !== undefined) {
        this.#park(group, taken);
        continue;
      }
      aside.add(group);
      if (group.clusters.some((cluster) => busy.has(cluster))) continue;
      const host = group.ready.pop()?.value;
      if (host === undefined) continue;
      picked.push(host);
      add(load, group.source, 1);
      for (const cluster of group.clusters) busy.add(cluster);
      this.#enqueue(group);
    }
    for (const host of picked) host.group.ready.push(host.index, host);
    for (const group of aside) this.#enqueue(group);
    return picked.map((item) => item.host);
  }

  /** Takes the group whose first host comes first out of the queues whose source has room. */
  #nextGroup(wave: number, isFull: (source: string | undefined) => boolean): Group | undefined {
    let best: Heap<Group> | undefined;
    const queues = this.#queues.get(wave) ?? new Map<string | undefined, Heap<Group>>();
    for (const [source, queue] of queues) {
      if (isFull(source)) continue;
      const key = this.#firstKey(queue);
      if (key === undefined) queues.delete(source);
      else if (key < (best?.peek()?.key ?? Infinity)) best = queue;
    }
    const group = best?.pop()?.value;
    if (group !== undefined) group.queuedAt = undefined;
    return group;
  }

  /** Drops what is out of date at the head: a group that has moved, hosts that have begun. */
  #firstKey(queue: Heap<Group>): number | undefined {
    for (let item = queue.peek(); item !== undefined; item = queue.peek()) {
      const { key, value: group } = item;
      if (group.queuedAt === key && firstReady(group) === key) return key;
      queue.pop();
      if (group.queuedAt !== key) continue;
      group.queuedAt = undefined;
      this.#enqueue(group);
    }
    return undefined;
  }

  #enqueue(group: Group): void {
    const key = firstReady(group);
    if (group.isParked || key === undefined || key >= (group.queuedAt ?? Infinity)) return;
    group.queuedAt = key;
    const queues = this.#queues.get(group.wave) ?? new Map<string | undefined, Heap<Group>>();
    const queue = queues.get(group.source) ?? new Heap<Group>();
    this.#queues.set(group.wave, queues.set(group.source, queue));
    queue.push(key, group);
  }

  #park(group: Group, cluster: string): void {
    group.isParked = true;
    this.#parked.set(cluster, [...(this.#parked.get(cluster) ?? []), group]);
  }

  #unpark(cluster: string): void {
    const groups = this.#parked.get(cluster) ?? [];
    this.#parked.delete(cluster);
    for (const group of groups) {
      group.isParked = false;
      this.#enqueue(group);
    }
  }
}

function firstReady({ ready }: Group): number | undefined {
  while (ready.peek()?.value.isWaiting === false) ready.pop();
  return ready.peek()?.key;
}

function add(counts: Map<string, number>, key: string | undefined, by: number): void {
  if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + by);
}

function isFree(counts: ReadonlyMap<string, number>, key: string): boolean {
  return (counts.get(key) ?? 0) === 0;
}
