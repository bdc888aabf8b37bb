// Reading the events of a ledger in the order in which the tables are made from them.
import { prepared, type Connection } from '../store/sqlite.ts';

export interface StoredEvent {
  readonly chain: string;
  readonly seq: number;
  readonly time: number;
  readonly type: string;
  readonly envelope: string;
  readonly hash: string;
}

/** Events read at once: tables may be written in between, as an open statement would not allow. */
const pageSize = 1_000;

/** Of all chains, by name. */
export function chainNames(connection: Connection): readonly string[] {
  // One step into the index for each chain; DISTINCT would read every event.
  const next = prepared(connection, 'SELECT MIN(chain) FROM event WHERE chain > ?').pluck();
  const names: string[] = [];
  for (let name = ''; ;) {
    const found = next.get(name) as string | null;
    if (found === null) return names;
    names.push(found);
    name = found;
  }
}

/**
 * Every event, or those of some types: each chain by its numbers, several chains by time, and by their names at the
 * same time. A chain keeps its order even where its clock was set back.
 */
export function* storedEvents(connection: Connection, types?: readonly string[]): Generator<StoredEvent, void> {
  const chains = chainNames(connection).map((chain) => chainEvents(connection, chain, types));
  const [only, ...others] = chains;
  if (only !== undefined && others.length === 0) return yield* only;
  const waiting = chains.map((events) => ({ events, next: events.next().value ?? undefined }));
  for (;;) {
    const first = waiting.reduce<(typeof waiting)[number] | undefined>((best, item) => {
      if (item.next === undefined) return best;
      return best?.next === undefined || item.next.time < best.next.time ? item : best;
    }, undefined);
    if (first?.next === undefined) return;
    yield first.next;
    first.next = first.events.next().value ?? undefined;
  }
}

function* chainEvents(
  connection: Connection,
  chain: string,
  types: readonly string[] | undefined,
): Generator<StoredEvent, void> {
  const ofTypes = types === undefined ? '' : `AND type IN (${types.map((type) => `'${type}'`).join()})`;
  const page = prepared(
    connection,
    `SELECT chain, seq, time, type, envelope, hash FROM event WHERE chain = ? AND seq > ? ${ofTypes} ORDER BY seq LIMIT ${pageSize}`,
  );
  for (let last = 0; ;) {
    const rows = page.all(chain, last) as StoredEvent[];
    yield* rows;
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.seq;
  }
}
