import { toErrorRecord, FettleError, isUnreached } from '../../domain/error.ts';
import type { StepName } from '../../domain/event.ts';
import type { PlannedHook } from '../../domain/plan.ts';
import type { HookWhen } from '../../domain/playbook.ts';
import { toOctal } from '../../remote/launch.ts';
import { emit, emitStart, ofHost, show } from '../context.ts';
import type { HostContext } from '../context.ts';
import { jobOf } from '../job/job-order.ts';
import { concludeByExit, runJob } from '../job/run-job.ts';
import type { JobOrder } from '../job/job-order.ts';

const outputBytes = 1024 * 1024;

export interface HookCall {
  readonly when: HookWhen;
  readonly hook: PlannedHook;
  /** Position among the hooks of its kind; a part of the job's name. */
  readonly index: number;
  /** Handed to local hooks besides FETTLE_HOST, FETTLE_RUN and FETTLE_HOOK. */
  readonly environment?: Readonly<Record<string, string>>;
}

export type HookEnd =
  | { readonly kind: 'ok' }
  /** `isFatal` by the hook's own `on_error`. */
  | { readonly kind: 'failed'; readonly error: FettleError; readonly isFatal: boolean }
  /** It may still be at work. */
  | { readonly kind: 'lost'; readonly error: FettleError }
  /** It was not begun: the host did not answer or let nobody in, or this machine ran short of something. */
  | { readonly kind: 'unreached'; readonly error: FettleError }
  | { readonly kind: 'detached' };

/**
 * Runs one hook: at least once, as a process on the controller or as a job on the host. A job is started once an
 * attempt, a local command again where the controller died inside it.
 */
export async function runHook(context: HostContext, call: HookCall): Promise<HookEnd> {
  return call.hook.remote === undefined ? runLocal(context, call) : runRemote(context, call, call.hook.remote);
}

async function runLocal(context: HostContext, call: HookCall): Promise<HookEnd> {
  const step: StepName = call.when;
  const { hook } = call;
  await emitStart(context, { type: 'step.started', ...ofHost(context), step, name: hook.name });
  const ended = await context.spawnLocal({
    argv: hookArguments(hook.local ?? [], context.host.name),
    environment: {
      ...call.environment,
      FETTLE_HOST: context.host.name,
      FETTLE_RUN: context.run,
      FETTLE_HOOK: call.when,
    },
    timeoutMs: hook.timeoutMs,
    outputLimitBytes: outputBytes,
    signal: context.detach,
  });
  if (context.detach.aborted) return { kind: 'detached' };
  const text = ended.output.toString('utf8');
  if (text !== '') show(context, { type: 'live.output', host: context.host.name, stream: 'stdout', text });
  const outputSha256 = ended.output.length === 0 ? undefined : await context.record.putBlob(ended.output);
  const problem = ended.problem ?? (ended.exitCode === 0 ? undefined : `exit ${ended.exitCode ?? 'by a signal'}`);
  const error = ended.shortage ?? (problem === undefined ? undefined : hookError(call, problem));
  await emit(context, [
    {
      type: 'step.finished',
      ...ofHost(context),
      step,
      name: hook.name,
      ok: error === undefined,
      ...(ended.exitCode === null ? {} : { exitCode: ended.exitCode }),
      ...(error === undefined ? {} : { message: error.message, error: toErrorRecord(error) }),
      ...(outputSha256 === undefined ? {} : { outputSha256 }),
    },
  ]);
  if (ended.shortage !== undefined) return { kind: 'unreached', error: ended.shortage };
  return error === undefined ? { kind: 'ok' } : failed(call, error);
}

/** `{{host}}` is replaced inside arguments; an argument stays one argument whatever the name holds. */
export function hookArguments(argv: readonly string[], host: string): string[] {
  return argv.map((argument) => argument.replaceAll('{{host}}', () => host));
}

async function runRemote(context: HostContext, call: HookCall, script: string): Promise<HookEnd> {
  const { hook } = call;
  const order: JobOrder = {
    step: call.when,
    part: `${call.when}-${call.index + 1}`,
    name: hook.name,
    kind: 'hook',
    request: { fields: { script: toOctal(script) } },
    timeoutMs: hook.timeoutMs,
  };
  const end = await runJob(context, order);
  switch (end.kind) {
    case 'detached':
      return end;
    case 'lost':
      return end.isOvertime === true ? overtime(context, call, order) : end;
    case 'refused':
      // The host was not reached, so the hook is still owed.
      return isUnreached(end.error) ? { kind: 'unreached', error: end.error } : failed(call, end.error);
    default: {
      const { ok, message } = concludeByExit(end);
      const exit = end.kind === 'done' ? `exit ${end.result.exitCode}` : 'no result';
      return ok ? { kind: 'ok' } : failed(call, hookError(call, message ?? exit));
    }
  }
}

/** The script goes on, unkilled, but the hook has failed: its step ends here. */
async function overtime(context: HostContext, call: HookCall, order: JobOrder): Promise<HookEnd> {
  const error = hookError(call, `it is still running after ${call.hook.timeoutMs / 1000} s; fettle leaves it running`);
  const named = { step: order.step, job: jobOf(context, order), name: call.hook.name };
  const { message } = error;
  await emit(context, [
    { type: 'step.finished', ...ofHost(context), ...named, ok: false, message, error: toErrorRecord(error) },
  ]);
  return failed(call, error);
}

function hookError(call: HookCall, problem: string): FettleError {
  return new FettleError('command', `hook ${call.hook.name} (${call.when}) failed: ${problem}`, {
    hint: 'show its output with: fettle run logs',
  });
}

function failed(call: HookCall, error: FettleError): HookEnd {
  return { kind: 'failed', error, isFatal: call.hook.onError === 'fail-host' };
}
