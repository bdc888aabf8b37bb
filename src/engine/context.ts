import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { LiveEvent, Operator, RunEvent } from '../domain/event.ts';
import type { Host } from '../domain/host.ts';
import type { RunRecord } from '../domain/record.ts';
import type { PackageManager } from '../managers/contract/package-manager.ts';
import type { HostPort } from './connection/host-port.ts';
import type { EventLog } from './event-log.ts';
import type { SpawnLocal } from './local-command.ts';
import type { OwnMachine } from './own-machine.ts';

/** How patient the engine is with hosts that are away. Milliseconds. */
export interface EngineLimits {
  /** A connection that stays lost for this long while a job runs makes the host `lost`; the job goes on. */
  readonly outageMs: number;
  /** Longest pause between two tries to connect again. */
  readonly retryCapMs: number;
  /** Pause between two queries of a rebooting host. */
  readonly rebootPollMs: number;
  /** Limit of one query of a rebooting host, connecting included. */
  readonly rebootProbeMs: number;
  /** How long one query for a job's news may wait on the host. */
  readonly followWaitSec: number;
  /** How long what a check found to run stands for what runs before the change. */
  readonly checkHoldsMs: number;
}

export const engineLimits: EngineLimits = {
  outageMs: 15 * 60_000,
  retryCapMs: 10_000,
  rebootPollMs: 3_000,
  rebootProbeMs: 30_000,
  followWaitSec: 20,
  checkHoldsMs: 10 * 60_000,
};

/** What everything in one run shares. */
export interface RunContext {
  readonly run: string;
  readonly operator: Operator;
  readonly clock: Clock;
  /** Where events go. */
  readonly log: EventLog;
  /** What is known of runs and hosts, and the leases. */
  readonly record: RunRecord;
  /** Aborted: begin nothing more; what has begun goes on to its safe point. */
  readonly stop: AbortSignal;
  /** Aborted: detach now; jobs keep running by themselves. */
  readonly detach: AbortSignal;
  readonly packageManager: (name: string) => PackageManager;
  readonly spawnLocal: SpawnLocal;
  readonly limits: EngineLimits;
}

/** What everything that is done to one host in one attempt shares: jobs, probes, hooks. */
export interface HostContext extends RunContext {
  readonly host: Host;
  readonly remote: HostPort;
  readonly attempt: number;
  readonly fence: number;
  /** Jobs that ended stay on the host until the run is done with it, which then removes all of them at once. */
  readonly collectsAtEnd?: true;
}

/** What the stages of a rollout need besides. */
export interface HostRunContext extends HostContext {
  /** The machine fettle runs on is never rebooted by its own run. */
  readonly own: OwnMachine;
  /** Resolves when the host may reboot; disposing gives the slot back. */
  readonly rebootSlot: (signal: AbortSignal) => Promise<Disposable>;
}

/** Commits, then shows; see `EventLog.append`. */
export function emit({ log, detach }: Pick<RunContext, 'log' | 'detach'>, events: readonly RunEvent[]): Promise<void> {
  return log.append(events, detach);
}

/** Commits and shows the start of what changes a host. */
export function emitStart({ run, host, fence, log }: HostContext, event: RunEvent): Promise<void> {
  return fence === 0 ? log.append([event]) : log.appendHeld(event, { run, hostId: host.id, fence });
}

export function show({ log }: Pick<RunContext, 'log'>, event: LiveEvent): void {
  log.show(event);
}

export function ofHost(context: HostContext): { run: string; host: string; hostId: string; attempt: number } {
  return { run: context.run, host: context.host.name, hostId: context.host.id, attempt: context.attempt };
}

export async function note(context: HostContext, level: 'info' | 'warn', message: string): Promise<void> {
  await emit(context, [{ type: 'note', run: context.run, host: context.host.name, level, message }]);
}

/** The part of a job's name that stands for the host. Hex. */
export function hostDigest(hostId: string): string {
  return createHash('sha256').update(hostId).digest('hex');
}
