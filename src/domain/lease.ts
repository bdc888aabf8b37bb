import type { BootTime } from '../base/clock.ts';
import { FettleError } from './error.ts';
import { isSameProcess, type Operator } from './event.ts';
import type { LeaseHolding, LeaseRequest, LostLease } from './record.ts';

/** A lease as it is stored. */
export interface StoredLease {
  readonly run: string;
  readonly holder: Operator;
  /** Wall time, epoch milliseconds; 0 = released. */
  readonly expiresMs: number;
  /** The same on the clock that started with the machine, which no time step moves; absent where it is not known. */
  readonly expiresAt?: BootTime;
}

export interface LeaseMoment {
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly boot?: BootTime;
  /** The requesting controller, as in `Operator`. */
  readonly controller?: string;
}

/**
 * How long a lease is good for, in milliseconds; 0 or less: it has expired. The clock since the start of the machine
 * decides where both sides know it, so that a step of the wall clock ends no lease and prolongs none. A holder on this
 * controller that took it before the machine started anew is gone.
 */
export function leaseLeftMs(held: StoredLease, { nowMs, boot, controller }: LeaseMoment): number {
  if (held.expiresMs <= 0) return 0;
  const { expiresAt } = held;
  if (expiresAt === undefined || boot === undefined) return held.expiresMs - nowMs;
  if (expiresAt.id === boot.id) return expiresAt.elapsedMs - boot.elapsedMs;
  return held.holder.controller === controller ? 0 : held.expiresMs - nowMs;
}

/** Another run holds it, or another process of the same run that is not known to be gone. */
export function isHeldAgainst(held: StoredLease, request: LeaseRequest): boolean {
  const { run, holder, gone = [] } = request;
  if (leaseLeftMs(held, momentOf(request)) <= 0) return false;
  return held.run !== run || ![holder, ...gone].some((operator) => isSameProcess(operator, held.holder));
}

export function momentOf({ nowMs, boot, holder }: Pick<LeaseRequest, 'nowMs' | 'boot' | 'holder'>): LeaseMoment {
  return { nowMs, controller: holder.controller, ...(boot === undefined ? {} : { boot }) };
}

/** When a lease that is taken or renewed now ends on the clock of the machine. */
export function bootExpiry({
  nowMs,
  expiresMs,
  boot,
}: Pick<LeaseRequest, 'nowMs' | 'expiresMs' | 'boot'>): BootTime | undefined {
  return boot === undefined ? undefined : { id: boot.id, elapsedMs: boot.elapsedMs + expiresMs - nowMs };
}

/** Still held: the same run took it under the same number, and it was not released. */
export function isOurs(held: (StoredLease & { readonly fence: number }) | undefined, own: LeaseHolding): boolean {
  return held !== undefined && held.run === own.run && held.fence === own.fence && held.expiresMs > 0;
}

/** Another run took the lease of a host, or `run abandon` released it: the work here ends at once. */
export function leaseLost({ hostId, run, holder }: LostLease): FettleError {
  const who = holder === undefined ? 'it was given up' : `run ${run} of ${holder.user}@${holder.controller}`;
  const has = holder === undefined ? who : `${who} (pid ${holder.pid}) has it now`;
  return new FettleError('lock-held', `the lease of this host was lost: ${has}`, {
    hint: 'was this machine suspended, or this process stopped? what was started on the host goes on there',
    details: { lease: 'lost', hostId, run },
  });
}

export function isLeaseLost(error: FettleError): boolean {
  return error.code === 'lock-held' && error.details?.['lease'] === 'lost';
}
