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
 * A plan is approved where its bytes have the hash that `fettle plan` recorded in this ledger. For any other plan,
 * `--plan-hash` or a person at a terminal approves it. Throws `FettleError('approval')`.
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
        hint: 'apply the file as `fettle plan` wrote it, or make a new plan',
        details: { found: sha256, recorded: recorded[0] },
      },
    );
  }
  if (planHash !== undefined) return;
  const question = `This plan was not made with this ledger. Apply the plan with SHA-256 ${sha256}?`;
  if (context.prompt.isAvailable && (await context.prompt.confirm(question))) return;
  throw new FettleError(
    'approval',
    `the plan with SHA-256 ${sha256} is not approved: it was not made with this ledger`,
    {
      hint: 'give the approved hash with --plan-hash, or the ledger that the plan was made with by --ledger',
      details: { found: sha256 },
    },
  );
}
