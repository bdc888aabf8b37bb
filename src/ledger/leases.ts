import type { Operator } from '../domain/event.ts';
import { isSameProcess } from '../domain/event.ts';
import type { LeaseAnswer, LeaseHolder, LeaseRequest } from '../domain/record.ts';
import { all, first, immediately, query, run, type Connection } from './sqlite.ts';

/** A host is in one run at a time. Each taking raises the fencing number, which the host checks too. */
export function acquireLeases(connection: Connection, request: LeaseRequest): LeaseAnswer {
  const taken: { hostId: string; fence: number }[] = [];
  const refused: { hostId: string; run: string; holder: Operator; expiresMs: number }[] = [];
  return immediately(connection, () => {
    for (const hostId of request.hostIds) {
      const held = first(connection, query.selectFrom('lease').selectAll().where('host_id', '=', hostId));
      const holder = held === undefined ? undefined : (JSON.parse(held.holder_json) as Operator);
      if (held !== undefined && holder !== undefined && isHeldAgainst(request, { ...held, holder })) {
        refused.push({ hostId, run: held.run, holder, expiresMs: held.expires_at });
        continue;
      }
      const fence = (held?.fence ?? 0) + 1;
      const values = {
        run: request.run,
        holder_json: JSON.stringify(request.holder),
        fence,
        expires_at: request.expiresMs,
      };
      run(
        connection,
        query
          .insertInto('lease')
          .values({ host_id: hostId, ...values })
          .onConflict((conflict) => conflict.column('host_id').doUpdateSet(values)),
      );
      taken.push({ hostId, fence });
    }
    return { taken, refused };
  });
}

export function renewLeases(connection: Connection, id: string, expiresMs: number): void {
  run(
    connection,
    query.updateTable('lease').set({ expires_at: expiresMs }).where('run', '=', id).where('expires_at', '>', 0),
  );
}

/** The row stays for its fencing number. */
export function releaseLease(connection: Connection, id: string, hostId: string): void {
  run(
    connection,
    query.updateTable('lease').set({ expires_at: 0 }).where('run', '=', id).where('host_id', '=', hostId),
  );
}

export function requestStop(connection: Connection, id: string, nowMs: number): void {
  run(
    connection,
    query
      .insertInto('stop_request')
      .values({ run: id, at: nowMs })
      .onConflict((conflict) => conflict.column('run').doNothing()),
  );
}

/** A run that goes on has heard the request. */
export function withdrawStop(connection: Connection, id: string): void {
  run(connection, query.deleteFrom('stop_request').where('run', '=', id));
}

export function stopRequested(connection: Connection, id: string): boolean {
  return all(connection, query.selectFrom('stop_request').select('run').where('run', '=', id)).length > 0;
}

/** Who holds leases of a run that have not expired; every process once. */
export function leaseHolders(connection: Connection, id: string, nowMs: number): readonly LeaseHolder[] {
  const leases = all(
    connection,
    query.selectFrom('lease').selectAll().where('run', '=', id).where('expires_at', '>', nowMs),
  );
  const byHolder = new Map(leases.map((lease) => [lease.holder_json, lease.expires_at]));
  return [...byHolder].map(([json, expiresMs]) => ({ holder: JSON.parse(json) as Operator, expiresMs }));
}

/** Another run's, or another process's of the same run that is not known to be gone. */
function isHeldAgainst(
  { run: id, holder, nowMs, gone = [] }: LeaseRequest,
  held: { readonly run: string; readonly expires_at: number; readonly holder: Operator },
): boolean {
  if (held.expires_at <= nowMs) return false;
  return held.run !== id || ![holder, ...gone].some((operator) => isSameProcess(operator, held.holder));
}
