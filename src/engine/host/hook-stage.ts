import { isDeniedCode } from '../../domain/error.ts';
import type { FettleError } from '../../domain/error.ts';
import { isAsAsked, verdicts } from '../../domain/outcome.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { HookWhen } from '../../domain/playbook.ts';
import { runHook } from './hook.ts';
import { endLost, endWith, detachedOutcome } from './host-state.ts';
import type { HostWork } from './host-state.ts';

/** Runs the hooks of one kind in order; the first fatal one ends it. Lost hooks throw. */
export async function runHooks(work: HostWork, when: Exclude<HookWhen, 'after_host'>): Promise<Outcome | undefined> {
  for (const [index, hook] of work.plan.hooks[when].entries()) {
    const end = await runHook(work.context, { when, hook, index });
    if (end.kind === 'detached') return detachedOutcome(work);
    if (end.kind === 'lost') return endLost(work, end.error, when);
    if (end.kind === 'unreached') throw end.error;
    if (end.kind === 'failed' && end.isFatal) return endWith(work, 'failed', end.error.message, { error: end.error });
  }
  return undefined;
}

/** Nothing can be run on a host that does not answer or lets nobody in. */
function isAway({ verdict, error }: Outcome): boolean {
  return verdict === 'unreachable' || isDeniedCode(error?.code);
}

/**
 * Hooks after the host: the owed counterpart of those before it. Not for a host that is lost or detached from: its work may
 * go on, and `run resume` owes them still. Of a host that is away those on the controller run, and the others stay owed.
 * A hook that is lost makes the host `lost`, so that it is attached to again; a fatal failure turns a good outcome into
 * `unhealthy`.
 */
export async function runAfterHooks(work: HostWork, outcome: Outcome): Promise<Outcome> {
  if (!work.owesAfterHooks || verdicts[outcome.verdict].mayBeAtWork) return outcome;
  const isGood = isAsAsked(outcome);
  const owed: string[] = [];
  let failure: FettleError | undefined;
  for (const [index, hook] of work.plan.hooks.after_host.entries()) {
    if (hook.runs === 'on-success' && !isGood) continue;
    if (hook.remote !== undefined && isAway(outcome)) {
      owed.push(hook.name);
      continue;
    }
    const environment = { FETTLE_VERDICT: outcome.verdict, FETTLE_CHANGE: outcome.change };
    const end = await runHook(work.context, { when: 'after_host', hook, index, environment });
    if (end.kind === 'detached') return detachedOutcome(work);
    if (end.kind === 'lost' || end.kind === 'unreached') return endLost(work, end.error, 'after_host');
    if (end.kind === 'failed' && end.isFatal) failure ??= end.error;
  }
  if (owed.length > 0) return stillOwing(work, outcome, owed);
  if (failure === undefined || !isGood) return outcome;
  return endWith(work, 'unhealthy', failure.message, { error: failure });
}

function stillOwing(work: HostWork, outcome: Outcome, hooks: readonly string[]): Outcome {
  const reason = `${outcome.reason}; hooks still to run: ${hooks.join(', ')}`;
  const hint = `when the host answers again, run them with: fettle run resume ${work.context.run}`;
  return { ...outcome, reason, hint, owesHooks: true };
}
