// Is this plan the one that was approved?
import { checkPlanHash } from '../../config/plan/file.ts';
import { FettleError } from '../../domain/error.ts';
import type { LedgerReader } from '../../domain/ledger-reader.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Context } from '../invocation/context.ts';

export interface PlanInHand {
  readonly plan: Plan;
  /** Of its bytes, lower-case hex. */
  readonly sha256: string;
}

/**
 * A plan is approved where its bytes have the hash that `fettle plan` recorded in this ledger. Where this ledger did not
 * make it, `--plan-hash` or a person at a terminal approves it; `--yes` does not. Throws `FettleError('approval')`.
 */
export async function requireApproval(
  { plan, sha256 }: PlanInHand,
  { ledger, planHash }: { readonly ledger: LedgerReader; readonly planHash: string | undefined },
  context: Context,
): Promise<void> {
  if (planHash !== undefined) checkPlanHash(sha256, planHash);
  const recorded = await ledger.planHashes(plan.id);
  if (recorded.includes(sha256)) return;
  if (recorded[0] !== undefined) {
    throw new FettleError(
      'approval',
      `the plan was altered: ${plan.id} was made with SHA-256 ${recorded[0]}, this file has ${sha256}`,
      {
        hint: 'apply the file as `fettle plan` wrote it, or make a new one',
        details: { found: sha256, recorded: recorded[0] },
      },
    );
  }
  if (planHash !== undefined) return;
  const question = `This ledger did not make the plan. Apply the one with SHA-256 ${sha256}?`;
  if (context.prompt.isAvailable && (await context.prompt.confirm(question))) return;
  throw new FettleError('approval', `nobody approved the plan with SHA-256 ${sha256}: this ledger did not make it`, {
    hint: 'give the hash that was approved with --plan-hash, or the ledger that made the plan with --ledger',
    details: { found: sha256 },
  });
}
