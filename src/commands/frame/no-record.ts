import { FettleError } from '../../domain/error.ts';
import type { RunRecord } from '../../domain/record.ts';

/** For what is not worth recording; whatever would have to be recorded is refused. */
export const unrecorded: RunRecord = {
  append: async () => undefined,
  putBlob: refuse,
  acquireLeases: refuse,
  renewLeases: refuse,
  appendHeld: refuse,
  releaseLeases: refuse,
  runState: async () => undefined,
  recordedFacts: async () => ({}),
  knownManagers: async () => undefined,
  stopRequested: async () => false,
};

function refuse(): Promise<never> {
  return Promise.reject(new FettleError('internal', 'a run without a record tried to change something'));
}
