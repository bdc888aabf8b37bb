import { worstExit } from '../../domain/exit.ts';
import type { ExitName } from '../../domain/exit.ts';
import { asFettleError, FettleError, isDenied, toErrorRecord } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import { verdictOfError, type Outcome } from '../../domain/outcome.ts';
import type { HostPlan, Plan } from '../../domain/plan.ts';
import type { RecordedFacts } from '../../domain/record.ts';
import type { HostSummary } from '../../domain/scan.ts';
import { emit, show } from '../context.ts';
import type { HostRunContext, RunContext } from '../context.ts';
import { verifyHost } from '../host/host-run.ts';
import { skewWords } from '../host/preflight.ts';
import { forEachHost, unscanned } from './scan.ts';
import type { FanOut } from './scan.ts';

export interface ExecFleet extends FanOut {
  /** Text for `sh`, sent on stdin. */
  readonly command: string;
  /** Longest time of the command on one host, milliseconds. */
  readonly timeoutMs: number;
  /** Kept per stream and host; the rest is drained and counted. */
  readonly outputLimitBytes: number;
  readonly onResult: (result: ExecOutcome) => void;
}

/** How a command ended on one host; folding equal outputs is the reporter's business. */
export type ExecOutcome =
  | {
      readonly host: Host;
      readonly exitCode: number | null;
      readonly stdout: Buffer;
      readonly stderr: Buffer;
      readonly truncatedBytes: number;
    }
  | { readonly host: Host; readonly error: FettleError };

/** Runs one command on every host, flat; recorded as a step each. Only ledger errors are thrown. */
export async function execOnHosts(hosts: readonly Host[], fleet: ExecFleet): Promise<void> {
  await forEachHost(hosts, fleet, async (host) => {
    fleet.onResult(await execOnHost(host, fleet));
  });
}

async function execOnHost(host: Host, fleet: ExecFleet): Promise<ExecOutcome> {
  const { context, command, timeoutMs, outputLimitBytes } = fleet;
  const of = { run: context.run, host: host.name, hostId: host.id, attempt: 1 };
  const step = { ...of, step: 'exec' } as const;
  try {
    context.stop.throwIfAborted();
    await using remote = fleet.remote(host);
    await remote.connect(context.detach);
    await emit(context, [
      { type: 'host.started', ...of },
      { type: 'step.started', ...step },
    ]);
    const ended = await remote.exec(command, {
      signal: context.detach,
      outputLimitBytes,
      timeoutMs,
      onOutput: (stream, chunk) =>
        show(context, { type: 'live.output', host: host.name, stream, text: Buffer.from(chunk).toString('utf8') }),
    });
    const { exitCode, stdout, stderr } = ended;
    const output = Buffer.concat([stdout, stderr]);
    const outputSha256 = output.length === 0 ? {} : { outputSha256: await context.record.putBlob(output) };
    const code = exitCode === null ? {} : { exitCode };
    await emit(context, [{ type: 'step.finished', ...step, ok: exitCode === 0, ...code, ...outputSha256 }]);
    return { host, ...ended };
  } catch (thrown) {
    const error = asFettleError(thrown);
    if (error.code === 'ledger') throw error;
    await emit(context, [
      { type: 'step.finished', ...step, ok: false, error: toErrorRecord(error) },
      unscanned(context, host, error),
    ]);
    return { host, error };
  }
}

/** What `ping` tells: reached, let in, elevated, and what would stand in the way of work. */
export type PingResult =
  | {
      readonly host: Host;
      readonly tookMs: number;
      readonly summary: HostSummary;
      readonly warnings: readonly string[];
    }
  | { readonly host: Host; readonly error: FettleError };

export interface PingFleet extends FanOut {
  readonly onResult: (result: PingResult) => void;
}

const maxSkewMs = 5 * 60_000;
const lowBytes = 256 * 1024 * 1024;

/** Reaches every host and looks at its lock, clock and disks; changes and records nothing on it. */
export async function pingHosts(hosts: readonly Host[], fleet: PingFleet): Promise<void> {
  await forEachHost(hosts, fleet, async (host) => {
    fleet.onResult(await pingHost(host, fleet));
  });
}

async function pingHost(host: Host, { context, remote: open }: PingFleet): Promise<PingResult> {
  const startMs = context.clock.elapsedMs();
  try {
    context.stop.throwIfAborted();
    await using remote = open(host);
    const summary = await remote.summary(context.detach);
    return { host, tookMs: Math.round(context.clock.elapsedMs() - startMs), summary, warnings: pingWarnings(summary) };
  } catch (thrown) {
    const error = asFettleError(thrown);
    if (error.code === 'ledger') throw error;
    return { host, error };
  }
}

/** What would stand in the way of work on the host, each as one sentence. */
export function pingWarnings(summary: HostSummary): string[] {
  const { facts, privileges, running, disks, active, broken, readOnly = [] } = summary;
  const skew = facts.clockSkewMs ?? 0;
  return [
    ...(privileges.isRoot ? [] : [`${privileges.user} is not root and no elevation is set`]),
    ...running.map((item) => `${item.name} (pid ${item.pid}) is at work with packages`),
    ...(active === undefined ? [] : [`run ${active.run} of ${active.controller} is at work on it`]),
    ...(broken.length === 0
      ? []
      : [`packages are not properly installed: ${broken.map((item) => item.name).join(', ')}`]),
    ...(Math.abs(skew) > maxSkewMs ? [skewWords(skew)] : []),
    ...readOnly.map((place) => `${place} is mounted read-only`),
    ...disks.filter((disk) => disk.freeBytes < lowBytes).map((disk) => `${disk.mount} is nearly full`),
  ];
}

export interface VerifyFleet extends FanOut {
  readonly plan: Plan;
  /** What the run that carried out the plan recorded of the host. */
  readonly recorded: (hostId: string) => Promise<RecordedFacts | undefined>;
  readonly own: HostRunContext['own'];
  readonly onResult: (host: Host, outcome: Outcome) => void;
}

/** Looks at hosts again and holds them against the plan of a run. Nothing is changed on them. */
export async function verifyHosts(hosts: readonly Host[], fleet: VerifyFleet): Promise<void> {
  const plans = new Map(fleet.plan.hosts.map((hostPlan) => [hostPlan.hostId, hostPlan]));
  await forEachHost(hosts, fleet, async (host) => {
    const hostPlan = plans.get(host.id);
    if (hostPlan !== undefined) fleet.onResult(host, await verifyOne(host, hostPlan, fleet));
  });
}

async function verifyOne(host: Host, hostPlan: HostPlan, fleet: VerifyFleet): Promise<Outcome> {
  const { context, plan } = fleet;
  await using remote = fleet.remote(host);
  const recorded = await fleet.recorded(host.id);
  await emit(context, [{ type: 'host.started', run: context.run, host: host.name, hostId: host.id, attempt: 1 }]);
  const outcome = await verifyHost({
    context: readingContext(context, { host, remote, own: fleet.own }),
    plan,
    hostPlan,
    ...(recorded === undefined ? {} : { recorded }),
  });
  if (outcome.error?.code === 'ledger') throw new FettleError('ledger', outcome.error.message);
  return outcome;
}

function readingContext(context: RunContext, own: Pick<HostRunContext, 'host' | 'remote' | 'own'>): HostRunContext {
  const rebootSlot = (): Promise<Disposable> =>
    Promise.reject(new FettleError('internal', 'a read-only run reboots nothing'));
  return { ...context, ...own, attempt: 1, fence: 0, rebootSlot };
}

/** The exit of a flat fan-out: every host well, some failed, or all that failed were not reached. */
export function fanOutExit(
  ends: Iterable<{ readonly error?: FettleError; readonly exitCode?: number | null }>,
): ExitName {
  const all = [...ends];
  const errors = all.flatMap(({ error }) => (error === undefined ? [] : [error]));
  const denied = errors.filter(isDenied);
  if (denied.length > 0 && denied.length === all.length) return 'auth';
  const names = all.map(({ error, exitCode }): ExitName => {
    if (error === undefined) return exitCode === undefined || exitCode === 0 ? 'ok' : 'partial';
    if (error.code === 'cancelled') return 'interrupted';
    if (error.code === 'lock-held') return 'locked';
    return verdictOfError(error) === 'unreachable' ? 'unreachable' : 'partial';
  });
  return worstExit(names);
}
