import type { Inventory } from '../../domain/scan.ts';
import type { PackedScan } from '../events/packed-event.ts';
import { prepared, type Connection } from '../store/sqlite.ts';

/** Hardware as the latest scan of a host has it; undefined where that reported none. */
export function inventoryOf(connection: Connection, hostId: string): Inventory | undefined {
  const select = prepared(
    connection,
    `SELECT event.envelope FROM scan JOIN event ON event.chain = scan.chain AND event.seq = scan.seq
     WHERE scan.host_id = ? ORDER BY scan.at DESC, scan.chain DESC, scan.seq DESC LIMIT 1`,
  );
  const row = select.get(hostId) as { envelope: string } | undefined;
  if (row === undefined) return undefined;
  return (JSON.parse(row.envelope) as { body: { scan: PackedScan } }).body.scan.inventory;
}
