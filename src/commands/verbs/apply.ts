import { readFile } from 'node:fs/promises';
import { checkPlanHash, decodePlan, planSha256 } from '../../config/plan/file.ts';
import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { requireApproval } from '../frame/approval.ts';
import { applyApproved } from '../frame/approved-plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { inDirectory } from '../frame/planning.ts';
import { openRecord } from '../frame/open-ledger.ts';
import { hostsOfPlan } from '../frame/execute-plan.ts';

/** What the plan file says is done, or the host says `drifted`. `--limit` narrows it; all other hosts stay as they are. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const path = inDirectory(invocation.arguments[0] ?? '', context);
  const bytes = await readPlanFile(path);
  const sha256 = planSha256(bytes);
  // Before anything reads it.
  if (options.planHash !== undefined) checkPlanHash(sha256, options.planHash);
  const whole = decodePlan(bytes);
  await using ledger = await openRecord(options, context);
  await requireApproval({ plan: whole, sha256 }, { ledger, options }, context);
  const { plan, hosts } = await hostsOfPlan(whole, invocation, context);
  return await applyApproved({ plan, bytes, sha256, hosts, ledger, invocation }, context);
}

async function readPlanFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FettleError('usage', `the plan ${path} cannot be read`, {
      hint: 'make one with: fettle plan PLAYBOOK -o plan.json',
      cause,
    });
  }
}
