import { FettleError } from '../domain/error.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { HookWhen } from '../domain/playbook.ts';
import { runHook } from './hook.ts';
import { endWith, letGo, outcomeOfError } from './host-work.ts';
import type { HostWork } from './host-work.ts';

/** Runs the hooks of one kind in order; the first fatal one ends it. Lost hooks throw. */
export async function runHooks(work: HostWork, when: Exclude<HookWhen, 'after_host'>): Promise<Outcome | undefined> {
  for (const [index, hook] of work.plan.hooks[when].entries()) {
    const end = await runHook(work.context, { when, hook, index });
    if (end.kind === 'detached') return letGo(work);
    if (end.kind === 'lost') throw end.error;
    if (end.kind === 'failed' && end.isFatal) return endWith(work, 'failed', end.error.message, { error: end.error });
  }
  return undefined;
}

/** It ended as the playbook wanted it: downloaded only, or left alone on purpose, is no failure. */
function isAsAsked({ verdict, followsFromMode, error }: Outcome): boolean {
  return verdict === 'verified' || followsFromMode === true || (verdict === 'skipped' && error === undefined);
}

/**
 * Hooks after the host: the owed counterpart of those before it. Not for a host that is lost or let go: its work may
 * go on, and `run resume` owes them still. A hook that is lost makes the host `lost`, so that it is attached to again; a
 * fatal failure turns a good outcome into `unhealthy`.
 */
export async function runAfterHooks(work: HostWork, outcome: Outcome): Promise<Outcome> {
  if (!work.owesAfterHooks || outcome.verdict === 'lost' || outcome.verdict === 'detached') return outcome;
  const isGood = isAsAsked(outcome);
  let failure: FettleError | undefined;
  for (const [index, hook] of work.plan.hooks.after_host.entries()) {
    if (hook.runs === 'on-success' && !isGood) continue;
    const environment = { FETTLE_VERDICT: outcome.verdict, FETTLE_CHANGE: outcome.change };
    const end = await runHook(work.context, { when: 'after_host', hook, index, environment });
    if (end.kind === 'detached') return letGo(work);
    if (end.kind === 'lost') return outcomeOfError(work, end.error, 'after_host');
    if (end.kind === 'failed' && end.isFatal) failure ??= end.error;
  }
  if (failure === undefined || !isGood) return outcome;
  return endWith(work, 'unhealthy', failure.message, { error: failure });
}
