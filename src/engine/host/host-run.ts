import { asFettleError } from '../../domain/error.ts';
import type { NamedMachine } from '../../domain/identity.ts';
import { isAsAsked, verdicts, type Outcome } from '../../domain/outcome.ts';
import type { HostRunState } from '../../domain/record.ts';
import type { HostScan } from '../../domain/scan.ts';
import { check, connect } from './check.ts';
import { emit, ofHost } from '../context.ts';
import { runAfterHooks, runHooks } from './hook-stage.ts';
import { adjustAsRecorded, beginWork, isPastInstall, detachedOutcome, outcomeOfError, scanNow } from './host-state.ts';
import type { CheckedHost, HostTask, HostWork, Stage } from './host-state.ts';
import { install, stoppedBefore } from './install.ts';
import { sweepLeftovers } from './unfinished-jobs.ts';
import { checkedHost } from './recall-check.ts';
import { rebootStage } from './reboot-stage.ts';
import { restartServices } from './restart.ts';
import { verify } from './verify.ts';

const stages: readonly (readonly [string, Stage])[] = [
  ['connect', connect],
  ['preflight', check],
  ['before_host', beforeHost],
  ['install', install],
  ['restart', restartServices],
  ['reboot', rebootStage],
  ['verify', verify],
];

/**
 * Takes one host from where it stands to its outcome. Never throws: what goes wrong is an outcome. Every step is
 * committed before it acts, so that another process goes on from the record at any point; `detached` alone is not
 * recorded as an end.
 */
export async function runHost(task: HostTask): Promise<Outcome> {
  const work = beginWork(task);
  try {
    return await concludeHost(work, await throughStages(work, stages));
  } catch (error) {
    return outcomeOfError(work, error, 'end');
  }
}

export interface HostCheck {
  /** The host ends here: unreachable, drifted, not fit, or not ours. */
  readonly outcome?: Outcome;
  /** What it reports itself to be and what it proved, where it was reached. */
  readonly machine?: NamedMachine;
  /** For the same host's turn in its wave; absent where it has to be checked again. */
  readonly checked?: CheckedHost;
}

/** The part of the way that changes no package, for every host before the first wave. Never throws. */
export async function checkHost(task: HostTask): Promise<HostCheck> {
  const work = beginWork(task);
  try {
    const pending: Outcome | undefined = await firstOutcome(work, stages.slice(0, 2));
    const machine = work.before === undefined ? {} : { machine: await machineOf(work, work.before) };
    if (pending === undefined) {
      const checked = checkedHost(work);
      return { ...machine, ...(checked === undefined ? {} : { checked }) };
    }
    return { ...machine, outcome: await concludeHost(work, pending) };
  } catch (error) {
    return { outcome: outcomeOfError(work, error, 'check') };
  }
}

async function machineOf({ context, isController }: HostWork, { facts }: HostScan): Promise<NamedMachine> {
  // A connection that breaks here is the next step's to notice.
  const endpoint = await context.remote.endpoint(context.detach).catch(() => undefined);
  return { host: context.host.name, facts, isController, ...(endpoint === undefined ? {} : { endpoint }) };
}

/** Holds one host against its plan and changes nothing. Never throws. */
export async function verifyHost(task: HostTask): Promise<Outcome> {
  const work = beginWork(task);
  work.before = task.recorded?.before;
  work.results = task.recorded?.results ?? [];
  adjustAsRecorded(work);
  try {
    const outcome = await throughStages(work, [
      ['connect', connect],
      ['verify', verify],
    ]);
    if (outcome.verdict !== 'detached') await finishHost(work, outcome);
    return outcome;
  } catch (error) {
    return outcomeOfError(work, error, 'verify');
  }
}

/** The one way out: whatever ended the host, what is owed to it is done before its end is committed. */
async function concludeHost(work: HostWork, outcome: Outcome): Promise<Outcome> {
  if (outcome.verdict === 'detached') return outcome;
  await lookAfterFailure(work, outcome);
  const last = await runAfterHooks(work, outcome);
  if (last.verdict === 'detached') return last;
  if (verdicts[last.verdict].contact !== 'unreached' && !work.isOff) await sweepLeftovers(work);
  await finishHost(work, last);
  return last;
}

async function throughStages(work: HostWork, list: typeof stages): Promise<Outcome> {
  return withFailure(work, (await firstOutcome(work, list)) ?? detachedOutcome(work));
}

/** A host whose install failed in part ends so, whatever came of the restart; unless that must be completed first. */
function withFailure({ failure }: HostWork, outcome: Outcome): Outcome {
  if (failure === undefined || outcome === failure) return outcome;
  if (verdicts[outcome.verdict].mayBeAtWork) return outcome;
  return { ...failure, reason: `${failure.reason}; ${outcome.reason}` };
}

async function firstOutcome(work: HostWork, list: typeof stages): Promise<Outcome | undefined> {
  for (const [name, stage] of list) {
    try {
      const outcome = await stage(work);
      if (outcome !== undefined) return outcome;
    } catch (error) {
      return outcomeOfError(work, error, name);
    }
  }
  return undefined;
}

async function beforeHost(work: HostWork): Promise<Outcome | undefined> {
  if (isPastInstall(work) && work.hasBegun) return undefined;
  if (work.context.stop.aborted) return stoppedBefore(work);
  work.owesAfterHooks = true;
  return runHooks(work, 'before_host');
}

/** What a failed install left behind belongs in the record; that it cannot be read is no new failure. */
async function lookAfterFailure(work: HostWork, outcome: Outcome): Promise<void> {
  if (outcome.verdict !== 'failed' || !work.hasBegun || work.current !== undefined) return;
  try {
    await scanNow(work, 'after');
  } catch (error) {
    if (asFettleError(error).code === 'ledger' || work.context.detach.aborted) throw error;
  }
}

async function finishHost(work: HostWork, outcome: Outcome): Promise<void> {
  await emit(work.context, [{ type: 'host.finished', ...ofHost(work.context), outcome }]);
}

/**
 * What `run resume` does with a host: `done` stays, `start` was never begun, `continue` goes on in the same attempt
 * (its job may still run), `retry` is a new attempt.
 */
export function resumeMode(state: HostRunState): 'done' | 'start' | 'continue' | 'retry' {
  const { outcome } = state;
  if (state.attempt === 0) return 'start';
  if (outcome === undefined) return 'continue';
  if (verdicts[outcome.verdict].mayBeAtWork) return 'continue';
  return isAsAsked(outcome) ? 'done' : 'retry';
}
