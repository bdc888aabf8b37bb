import { decodePlan } from '../../config/plan/file.ts';
import { FettleError } from '../../domain/error.ts';
import type { LedgerReader } from '../../domain/ledger-reader.ts';
import type { Plan } from '../../domain/plan.ts';

/** The plan that a run carried out, by its hash. Throws `ledger` where the ledger lacks it. */
export async function recordedPlan(ledger: LedgerReader, sha256: string): Promise<Plan> {
  const bytes = await ledger.getBlob(sha256);
  if (bytes === undefined)
    throw new FettleError('ledger', `the ledger does not contain the plan ${sha256}`, {
      hint: 'run: fettle ledger verify',
    });
  return decodePlan(bytes);
}
