import { FettleError } from '../../domain/error.ts';
import type { RunRow } from '../../domain/report.ts';

/** `isAmbiguous`: more than one run begins with `id`. */
export function noSuchRun(id: string, isAmbiguous: boolean): FettleError {
  const count = isAmbiguous ? 'more than one run' : 'no run';
  return new FettleError('usage', `there is ${count} ${id}`, { hint: 'list them with: fettle run list' });
}

/** None was named, and none is of the kind that is taken then; `latest` is of another. */
export function noWorkingRun([latest]: readonly RunRow[], toVerify: boolean): FettleError {
  if (latest === undefined) return new FettleError('usage', 'the ledger has no runs yet');
  const what = toVerify ? 'worked on hosts and left them on' : 'worked on hosts';
  return new FettleError('usage', `no run in the ledger ${what}; the latest of all is ${latest.run} (${latest.kind})`, {
    hint: `show it with: fettle run show ${latest.run}; list all with: fettle run list`,
  });
}
