import { hash as digest } from 'node:crypto';
import canonicalize from 'canonicalize';
import { encodeWellFormed } from '../../base/well-formed.ts';
import { packEvent, type PackedEvent } from './packed-event.ts';
import { project, type Projected } from './projection.ts';
import type { SentEvent } from './sent-event.ts';
import { chainNames, type StoredEvent } from './stored-events.ts';
import { prepared, type Connection } from '../store/sqlite.ts';

/** The chain of this ledger's own events. Others lie in it only where their events were brought in. */
export const chainName = 'main';
/** What the first event follows. */
const genesis = '0'.repeat(64);
const envelopeVersion = 1;

export interface Head {
  readonly seq: number;
  readonly hash: string;
}

export function readHead(connection: Connection, chain = chainName): Head {
  const latest = prepared(connection, 'SELECT seq, hash FROM event WHERE chain = ? ORDER BY seq DESC LIMIT 1');
  const row = latest.get(chain) as Head | undefined;
  return row ?? { seq: 0, hash: genesis };
}

function sha256(text: string | Uint8Array): string {
  return digest('sha256', text);
}

export interface TimedEvent {
  readonly timeMs: number;
  readonly event: SentEvent;
}

/**
 * Adds events behind the head of a chain, with everything made from them; within a transaction of the caller. The hash of
 * an event is the SHA-256 of its envelope exactly as stored: RFC 8785 JSON of `{v, chain, seq, time, type, body, prev}`.
 */
export function appendEvents(connection: Connection, events: readonly TimedEvent[], chain = chainName): Head {
  const insert = prepared(
    connection,
    'INSERT INTO event (chain, seq, time, type, run, host_id, envelope, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  let head = readHead(connection, chain);
  for (const { timeMs, event } of events) {
    const seq = head.seq + 1;
    const packed = packEvent(connection, event);
    const { type, ...body } = packed;
    const envelope = encodeWellFormed(canonicalize, {
      v: envelopeVersion,
      chain,
      seq,
      time: timeMs,
      type,
      body,
      prev: head.hash,
    });
    if (envelope === undefined) throw new Error(`event ${type} has no JSON form`);
    const hash = sha256(envelope);
    const hostId = 'hostId' in event ? event.hostId : null;
    insert.run(chain, seq, timeMs, type, ('run' in event ? event.run : undefined) ?? null, hostId, envelope, hash);
    // From the stored text, so that tables made again from it are the same to the letter.
    project(connection, unpackEnvelope({ chain, seq, time: timeMs, type, envelope, hash }));
    head = { seq, hash };
  }
  return head;
}

/** The body of a stored envelope with its type, as `project` takes it. Older shapes would be brought up to date here. */
export function unpackEnvelope({ chain, seq, time, type, envelope }: StoredEvent): Projected {
  const { body } = JSON.parse(envelope) as { body: Record<string, unknown> };
  return { chain, seq, timeMs: time, event: { type, ...body } as PackedEvent };
}

/** `"chain":…,"prev":"…","seq":…,"time":…,"type":"…","v":1}`: RFC 8785 sorts keys, so these are an envelope's end. */
const tail = /"chain":"[^"]*","prev":"([0-9a-f]{64})","seq":(\d+),"time":(\d+),"type":"([^"]*)","v":1\}$/;

/** With what the columns beside the envelope are made of. */
const selectChecked = `SELECT chain, seq, time, type, envelope, hash, run, host_id,
  CASE WHEN json_valid(envelope) THEN json_extract(envelope, '$.body.run') END AS bodyRun,
  CASE WHEN json_valid(envelope) THEN json_extract(envelope, '$.body.hostId') END AS bodyHost
  FROM event WHERE chain = ? ORDER BY seq`;

interface CheckedEvent extends StoredEvent {
  readonly run: string | null;
  readonly host_id: string | null;
  readonly bodyRun: string | null;
  readonly bodyHost: string | null;
}

/** In text of hosts quotes are escaped, so this matches members only. */
const references = /"(?:outputSha256|packagesSha256|planSha256)":"([0-9a-f]{64})"/g;
const planReference = /"sha256":"([0-9a-f]{64})"/g;

export interface ChainCheck {
  readonly head: Head;
  readonly problems: string[];
  /** Blobs that events name, each with the first of these events. */
  readonly references: ReadonlyMap<string, number>;
}

/** Walks the chain; every difference in words. */
export function checkChain(connection: Connection, saved: readonly Head[]): ChainCheck {
  const problems: string[] = [];
  const named = new Map<string, number>();
  let head: Head = { seq: 0, hash: genesis };
  const rows = connection.prepare(selectChecked).iterate(chainName) as IterableIterator<CheckedEvent>;
  const wanted = Map.groupBy(saved, (item) => item.seq);
  for (const row of rows) {
    checkLink(row, head, problems);
    for (const blob of referencesOf(row)) if (!named.has(blob)) named.set(blob, row.seq);
    if (wanted.get(row.seq)?.some(({ hash }) => hash !== row.hash) === true) {
      problems.push(`event ${row.seq} does not match the saved head: the chain was rewritten`);
    }
    head = { seq: row.seq, hash: row.hash };
  }
  for (const { seq } of saved) {
    if (seq > head.seq)
      problems.push(`the chain ends at event ${head.seq}, but a saved head is of event ${seq}: events were removed`);
  }
  for (const { chain, count } of otherChains(connection)) {
    problems.push(`${count} events belong to another chain (${chain}); this ledger has one chain`);
  }
  return { head, problems, references: named };
}

function otherChains(connection: Connection): readonly { chain: string; count: number }[] {
  const count = prepared(connection, 'SELECT COUNT(*) FROM event WHERE chain = ?').pluck();
  const names = chainNames(connection).filter((chain) => chain !== chainName);
  return names.map((chain) => ({ chain, count: Number(count.get(chain)) }));
}

function referencesOf({ type, envelope }: StoredEvent): string[] {
  const found = [
    ...envelope.matchAll(references),
    ...(type === 'plan.created' ? envelope.matchAll(planReference) : []),
  ];
  return found.map((match) => match[1] ?? '');
}

/** Does the chain hold a head that was saved earlier? */
export function holdsHead(connection: Connection, { seq, hash }: Head): boolean {
  if (seq === 0) return hash === genesis;
  const row = prepared(connection, 'SELECT hash FROM event WHERE chain = ? AND seq = ?').get(chainName, seq);
  return (row as { hash: string } | undefined)?.hash === hash;
}

function checkLink(row: CheckedEvent, head: Head, problems: string[]): void {
  if (row.seq !== head.seq + 1) problems.push(`events ${head.seq + 1} to ${row.seq - 1} are missing`);
  if (sha256(row.envelope) !== row.hash) problems.push(`event ${row.seq} was altered: its hash differs`);
  const [, prev, seq, time, type] = tail.exec(row.envelope.slice(-400)) ?? [];
  if (prev !== head.hash) problems.push(`event ${row.seq} does not follow event ${head.seq}`);
  if (Number(seq) !== row.seq || Number(time) !== row.time || type !== row.type) {
    problems.push(`event ${row.seq} was altered: its columns differ from its envelope`);
  } else if (row.run !== row.bodyRun || row.host_id !== row.bodyHost) {
    problems.push(`event ${row.seq} was altered: its columns run and host_id differ from its envelope`);
  }
}
