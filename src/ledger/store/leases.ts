import type { Operator } from '../../domain/event.ts';
import { bootExpiry, isHeldAgainst, isOurs, leaseLeftMs, momentOf } from '../../domain/lease.ts';
import type { LeaseMoment, StoredLease } from '../../domain/lease.ts';
import type {
  LeaseAnswer,
  LeaseHolder,
  LeaseHolding,
  LeaseRenewal,
  LeaseRequest,
  LostLease,
} from '../../domain/record.ts';
import { all, immediately, query, run, template, type Connection, type Slots } from './sqlite.ts';
import type { Tables } from './tables.ts';

/** A host is in one run at a time. Each taking raises the fencing number, which the host checks too. */
export function acquireLeases(connection: Connection, request: LeaseRequest): LeaseAnswer {
  const taken: { hostId: string; fence: number }[] = [];
  const refused: { hostId: string; run: string; holder: Operator; expiresMs: number }[] = [];
  return immediately(connection, () => {
    for (const hostId of request.hostIds) {
      const held = readLease(connection, hostId);
      if (held !== undefined && isHeldAgainst(held, request)) {
        const expiresMs = request.nowMs + leaseLeftMs(held, momentOf(request));
        refused.push({ hostId, run: held.run, holder: held.holder, expiresMs });
        continue;
      }
      const fence = (held?.fence ?? 0) + 1;
      const values = { run: request.run, holder_json: JSON.stringify(request.holder), fence, ...expiryOf(request) };
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

type Lease = StoredLease & { readonly fence: number };

function readLease(connection: Connection, hostId: string): Lease | undefined {
  const row = selectLease.first(connection, { host_id: hostId });
  return row === undefined ? undefined : toLease(row);
}

const selectLease = template((slot: Slots<Pick<Tables['lease'], 'host_id'>>) =>
  query.selectFrom('lease').selectAll().where('host_id', '=', slot('host_id')),
);

function toLease(row: Tables['lease']): Lease {
  return {
    run: row.run,
    holder: JSON.parse(row.holder_json) as Operator,
    fence: row.fence,
    expiresMs: row.expires_at,
    ...(row.boot_id === null || row.boot_expires === null
      ? {}
      : { expiresAt: { id: row.boot_id, elapsedMs: row.boot_expires } }),
  };
}

type Expiry = Pick<Tables['lease'], 'expires_at' | 'boot_id' | 'boot_expires'>;

function expiryOf(request: Pick<LeaseRequest, 'nowMs' | 'expiresMs' | 'boot'>): Expiry {
  const at = bootExpiry(request);
  return { expires_at: request.expiresMs, boot_id: at?.id ?? null, boot_expires: at?.elapsedMs ?? null };
}

const extend = template((slot: Slots<Expiry & Pick<Tables['lease'], 'host_id'>>) =>
  query
    .updateTable('lease')
    .set({ expires_at: slot('expires_at'), boot_id: slot('boot_id'), boot_expires: slot('boot_expires') })
    .where('host_id', '=', slot('host_id')),
);

/** Only what is still ours: a process that was stopped for a while must not prolong the lease of another. */
export function renewLeases(connection: Connection, request: LeaseRenewal): readonly LostLease[] {
  return immediately(connection, () => {
    const lost = lostOf(connection, request.leases);
    const gone = new Set(lost.map(({ hostId }) => hostId));
    const expiry = expiryOf(request);
    for (const { hostId } of request.leases) {
      if (!gone.has(hostId)) extend.run(connection, { host_id: hostId, ...expiry });
    }
    return lost;
  });
}

/** Those that somebody else took, or that were given up. */
export function lostOf(connection: Connection, leases: readonly LeaseHolding[]): readonly LostLease[] {
  return leases.flatMap((own): LostLease[] => {
    const held = readLease(connection, own.hostId);
    if (isOurs(held, own)) return [];
    const isFree = held === undefined || held.expiresMs <= 0;
    const lost = { hostId: own.hostId, run: held?.run ?? own.run };
    return [isFree ? lost : { ...lost, holder: held.holder }];
  });
}

const release = template((slot: Slots<Pick<Tables['lease'], 'host_id' | 'run' | 'fence'>>) =>
  query
    .updateTable('lease')
    .set({ expires_at: 0 })
    .where('host_id', '=', slot('host_id'))
    .where('run', '=', slot('run'))
    .where('fence', '=', slot('fence')),
);

/** The rows stay for their fencing numbers. */
export function releaseLeases(connection: Connection, leases: readonly LeaseHolding[]): void {
  immediately(connection, () => {
    for (const { hostId, run: id, fence } of leases) release.run(connection, { host_id: hostId, run: id, fence });
  });
}

/** Whoever holds it for that run loses it. */
export function abandonLease(connection: Connection, id: string, hostId: string): void {
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

/** A run that is resumed has handled the request. */
export function withdrawStop(connection: Connection, id: string): void {
  run(connection, query.deleteFrom('stop_request').where('run', '=', id));
}

export function stopRequested(connection: Connection, id: string): boolean {
  return all(connection, query.selectFrom('stop_request').select('run').where('run', '=', id)).length > 0;
}

/** Who holds leases of a run that have not expired; every process once. */
export function leaseHolders(connection: Connection, id: string, moment: LeaseMoment): readonly LeaseHolder[] {
  const rows = all(connection, query.selectFrom('lease').selectAll().where('run', '=', id).where('expires_at', '>', 0));
  const left = rows.map((row) => ({ json: row.holder_json, leftMs: leaseLeftMs(toLease(row), moment) }));
  const byHolder = new Map(left.filter((item) => item.leftMs > 0).map((item) => [item.json, item.leftMs]));
  return [...byHolder].map(([json, leftMs]) => ({
    holder: JSON.parse(json) as Operator,
    expiresMs: moment.nowMs + leftMs,
  }));
}
