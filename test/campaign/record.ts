// The ledger read with a connection of the campaign's own, not with fettle's code.
import Database from 'better-sqlite3';
import type { RunEvent } from '../../src/domain/event.ts';

export interface RecordedEvent {
  readonly seq: number;
  readonly timeMs: number;
  readonly event: RunEvent;
}

interface Envelope {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** All events of a ledger in the order of the chain; none where there is no ledger yet. */
export function readEvents(ledgerPath: string): readonly RecordedEvent[] {
  const connection = new Database(ledgerPath, { readonly: true, fileMustExist: true, timeout: 10_000 });
  try {
    const rows = connection.prepare('SELECT seq, time, envelope FROM event ORDER BY seq').all() as {
      seq: number;
      time: number;
      envelope: string;
    }[];
    return rows.map(({ seq, time, envelope }) => {
      const { type, body } = JSON.parse(envelope) as Envelope;
      return { seq, timeMs: time, event: { type, ...body } as RunEvent };
    });
  } finally {
    connection.close();
  }
}
