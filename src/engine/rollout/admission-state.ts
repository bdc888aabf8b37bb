import { AdmissionControl, effectiveWaves } from '../../domain/admission.ts';
import type { Admission, AdmissionHost, AdmissionRules } from '../../domain/admission.ts';
import { FettleError } from '../../domain/error.ts';
import type { Operator, RunEvent } from '../../domain/event.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Plan } from '../../domain/plan.ts';
import type { LeaseAnswer } from '../../domain/record.ts';
import type { HostRunContext, RunContext } from '../context.ts';
import type { HostPort } from '../connection/host-port.ts';
import type { HostTask } from '../host/host-state.ts';
import { setPhase } from './rollout-host.ts';
import type { RolloutHost } from './rollout-host.ts';
import type { OwnMachine } from '../own-machine.ts';
import { runResult } from './result.ts';
import type { ResultInput, RunResult } from './result.ts';

export interface RolloutOptions extends RunContext {
  readonly plan: Plan;
  readonly members: readonly RolloutHost[];
  readonly openRemote: (host: Host) => HostPort;
  readonly own: OwnMachine;
  /** Processes that had the run in hand and are gone. */
  readonly gone?: readonly Operator[];
  /** The wave that they had begun and not ended. */
  readonly leftWave?: number | undefined;
}

/** Counts the hosts of a rollout as they go on. Hosts that were absent from the plan, or idle in it, are no part of it and of its budget. */
export function admissionOf(members: readonly RolloutHost[], plan: Plan): AdmissionControl {
  const rebootConcurrency = plan.reboot.concurrency;
  const rules: AdmissionRules = {
    waves: plan.waves,
    concurrency: plan.concurrency,
    ...(plan.perSource === undefined ? {} : { perSource: plan.perSource }),
    ...(rebootConcurrency === undefined ? {} : { rebootConcurrency }),
    budget: plan.budget,
  };
  const admission = new AdmissionControl(rules, members.map(admissionHost));
  for (const member of members) member.admission = admission;
  return admission;
}

function admissionHost(member: RolloutHost): AdmissionHost {
  const { host, wave, phase, outcome, after, isController, hostPlan } = member;
  const { clusters, source } = hostPlan;
  return {
    host: host.name,
    wave,
    phase,
    ...(outcome === undefined ? {} : { outcome }),
    clusters,
    ...(source === undefined ? {} : { source }),
    after,
    isController,
  };
}

/** The machine fettle runs on and hosts that others stand behind go last, whatever wave the plan names. */
export function assignWaves(members: readonly RolloutHost[], controllers: readonly string[]): void {
  for (const member of members) member.isController = controllers.includes(member.host.name);
  const waves = effectiveWaves(members.map((member) => ({ ...member, host: member.host.name })));
  for (const member of members) member.wave = waves.get(member.host.name) ?? member.wave;
}

/** Why nothing more is started. */
export interface Stopping {
  readonly cause: Extract<RunEvent, { readonly type: 'run.stopping' }>['cause'];
  readonly message: string;
}

export function stoppedAs(
  { stop, detach }: Pick<RunContext, 'stop' | 'detach'>,
  interruptedAs: ExitName | undefined,
  stopping: Stopping | FettleError | undefined,
): ResultInput['stopped'] {
  const isSignal = stop.aborted || detach.aborted;
  if (isSignal) return { exit: interruptedAs ?? 'interrupted', reason: 'interrupted; the run can be resumed' };
  if (stopping === undefined) return undefined;
  return { exit: stopping instanceof FettleError ? 'locked' : 'stopped', reason: stopping.message };
}

/** A wave as its events name it. */
export function waveOf({ run, plan }: { readonly run: string; readonly plan: Plan }, wave: number) {
  return { run, wave, name: plan.waves[wave]?.name ?? '' };
}

/** A host in its attempt as events name it. */
export function ofMember(run: string, { host, attempt }: RolloutHost) {
  return { run, host: host.name, hostId: host.id, attempt };
}

export function warningsOf(run: string, messages: readonly string[]): readonly RunEvent[] {
  return messages.map((message) => ({ type: 'note', run, level: 'warn', message }));
}

export function hostsOf(members: readonly RolloutHost[], wave: number): readonly string[] {
  return members.filter((member) => member.wave === wave).map((member) => member.host.name);
}

export function resultOf(members: readonly RolloutHost[], plan: Plan, stopped: ResultInput['stopped']): RunResult {
  const outcomes = new Map<string, Outcome>();
  for (const { host, outcome } of members) if (outcome !== undefined) outcomes.set(host.name, outcome);
  const pending = members.filter((member) => member.outcome === undefined).map((member) => member.host.name);
  return runResult({ plan, outcomes, pending, ...(stopped === undefined ? {} : { stopped }) });
}

/** The work of one host as it stands now. */
export function taskOf(
  member: RolloutHost,
  plan: Plan,
  context: Omit<HostRunContext, 'host' | 'attempt' | 'fence'>,
): HostTask {
  const { host, hostPlan, attempt, fence, state, isRefreshed, checked, lost } = member;
  const detach = AbortSignal.any([context.detach, lost.signal]);
  return {
    context: { ...context, detach, host, attempt, fence },
    plan,
    hostPlan,
    isRefreshed,
    ...(checked === undefined ? {} : { checked }),
    ...(state === undefined ? {} : { state }),
  };
}

/**
 * Whom to take in hand now. A run that stops admits nobody, but it still owes hooks to hosts that an earlier process
 * prepared; one that detaches leaves them to `run resume`.
 */
export function toStart(
  members: ReadonlyMap<string, RolloutHost>,
  { start }: Admission,
  { stop, detach }: Pick<RunContext, 'stop' | 'detach'>,
): readonly RolloutHost[] {
  if (detach.aborted) return [];
  if (!stop.aborted) return start.flatMap((name) => members.get(name) ?? []);
  return [...members.values()].filter((member) => member.phase === 'waiting' && member.state?.owesAfterHooks === true);
}

/** How a host ends whose lease another run holds. What is owed to it waits: a run that is at work there must not be disturbed. */
export function heldBy({ run, holder, expiresMs }: LeaseAnswer['refused'][number], member: RolloutHost): Outcome {
  const who = `${holder.user}@${holder.controller}`;
  const reason = `run ${run} of ${who} (pid ${holder.pid}) has the lease on it until ${new Date(expiresMs).toISOString()}`;
  const hint = `wait for it, or stop it: fettle run stop ${run}`;
  const error = { code: 'lock-held', message: reason, hint, details: { run, holder: who } } as const;
  const owed = member.state?.owesAfterHooks === true ? ({ owesHooks: true } as const) : {};
  return { verdict: 'skipped', change: 'none', reason, hint, error, ...owed };
}

export function faultWords({ code, message }: FettleError): string {
  return code === 'ledger' ? `the ledger failed: ${message}` : `fettle itself failed: ${message}`;
}

export function describeSpent({ scope, name, state }: NonNullable<Admission['spent']>): string {
  const where = scope === 'run' ? 'of the run' : `of wave ${name}`;
  const parts = Object.entries(state.byClass).filter(([, count]) => count > 0);
  const what = parts.map(([kind, count]) => `${count} ${kind}`).join(', ');
  return `the budget ${where} is spent: ${what}; ${state.allowed} allowed`;
}

/**
 * Waits until `grantReboot` of the member is called; `changed` notifies the rollout of its new phase. Disposing
 * gives the slot back.
 */
export async function waitForSlot(member: RolloutHost, signal: AbortSignal, changed: () => void): Promise<Disposable> {
  signal.throwIfAborted();
  const granted = Promise.withResolvers<void>();
  const onAbort = (): void => granted.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  member.grantReboot = granted.resolve;
  setPhase(member, 'wants-reboot');
  changed();
  try {
    await granted.promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    member.grantReboot = undefined;
    if (signal.aborted) setPhase(member, 'running');
  }
  return {
    [Symbol.dispose]: () => {
      if (member.phase === 'rebooting') setPhase(member, 'running');
      changed();
    },
  };
}
