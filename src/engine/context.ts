import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { EventSink, LiveEvent, Operator, RunEvent } from '../domain/event.ts';
import type { Host } from '../domain/host.ts';
import type { RunRecord } from '../domain/record.ts';
import type { Manager } from '../managers/contract/manager.ts';
import type { HostPort } from './connection/host-port.ts';
import type { SpawnLocal } from './local-command.ts';
import type { OwnMachine } from './own-machine.ts';

/** How patient the engine is with hosts that are away. Milliseconds. */
export interface EngineLimits {
  /** A connection that stays lost for this long while a job runs makes the host `lost`; the job goes on. */
  readonly outageMs: number;
  /** Longest pause between two tries to connect again. */
  readonly retryCapMs: number;
  /** Pause between two looks at a rebooting host. */
  readonly rebootPollMs: number;
  /** One look at a rebooting host, connecting included. */
  readonly rebootProbeMs: number;
  /** How long one question for a job's news may wait on the host. */
  readonly followWaitSec: number;
}

export const engineLimits: EngineLimits = {
  outageMs: 15 * 60_000,
  retryCapMs: 10_000,
  rebootPollMs: 3_000,
  rebootProbeMs: 30_000,
  followWaitSec: 20,
};

/** What everything in one run shares. */
export interface RunContext {
  readonly run: string;
  readonly operator: Operator;
  readonly clock: Clock;
  /** Shows events; recording is `record`'s business, so the recorder is not a part of it. */
  readonly sink: EventSink;
  readonly record: RunRecord;
  /** Aborted: begin nothing more; what has begun goes on to its safe point. */
  readonly stop: AbortSignal;
  /** Aborted: let go now; jobs go on by themselves. */
  readonly detach: AbortSignal;
  readonly manager: (name: string) => Manager;
  readonly spawnLocal: SpawnLocal;
  readonly limits: EngineLimits;
}

/** What the work on one host in one attempt shares. */
export interface HostContext extends RunContext {
  readonly host: Host;
  readonly remote: HostPort;
  readonly attempt: number;
  readonly fence: number;
  /** The machine fettle runs on is never rebooted by its own run. */
  readonly own: OwnMachine;
  /** Resolves when the host may reboot; disposing gives the slot back. */
  readonly rebootSlot: (signal: AbortSignal) => Promise<Disposable>;
}

/** Commits, then shows. Awaited before a side effect it makes the effect findable after a crash. */
export async function emit(context: RunContext, events: readonly RunEvent[]): Promise<void> {
  await context.record.append(events);
  for (const event of events) context.sink.event(event);
  await taken(context);
}

/** Waits for a slow reader of the events, but not past the order to detach. */
export async function taken({ sink, detach }: Pick<RunContext, 'sink' | 'detach'>): Promise<void> {
  const drained = sink.drained?.();
  if (drained === undefined || detach.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const leave = (): void => resolve();
  detach.addEventListener('abort', leave, { once: true });
  await Promise.race([drained, promise]);
  detach.removeEventListener('abort', leave);
}

/** Commits and shows the start of what changes a host; refused with `leaseLost` where another process has the host now. */
export async function emitStart(context: HostContext, event: RunEvent): Promise<void> {
  const { run, host, fence, record } = context;
  if (fence === 0) await record.append([event]);
  else await record.appendHeld([event], { run, hostId: host.id, fence });
  context.sink.event(event);
}

export function show(context: RunContext, event: LiveEvent): void {
  context.sink.event(event);
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
