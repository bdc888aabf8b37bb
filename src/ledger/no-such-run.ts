import { FettleError } from '../domain/error.ts';

/** `isAmbiguous`: more than one run begins with `id`. */
export function noSuchRun(id: string | undefined, isAmbiguous: boolean): FettleError {
  const count = isAmbiguous ? 'more than one run' : 'no run';
  const what = id === undefined ? 'there is no run in the ledger yet' : `there is ${count} ${id}`;
  return new FettleError('usage', what, { hint: 'list them with: fettle run list' });
}
