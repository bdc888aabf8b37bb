import { readFile } from 'node:fs/promises';
import { checkPlanHash, decodePlan, planSha256, readPlanHash } from '../../config/plan/file.ts';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';
import { runDetailFields } from '../../report/tables/ledger-json.ts';
import type { ExitName } from '../../domain/exit.ts';
import { requireApproval } from '../frame/approval.ts';
import { applyApproved } from '../frame/approved-plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { inDirectory, readRun, type RunRequest } from '../invocation/request.ts';
import { openRecord } from '../frame/open-ledger.ts';
import { hostsOfPlan } from '../frame/execute-plan.ts';

interface ApplyRequest extends RunRequest {
  /** Absolute. */
  readonly plan: string;
  readonly planHash: string | undefined;
}

export function read(invocation: Invocation, context: ReadContext): ApplyRequest {
  const [plan = ''] = invocation.arguments;
  const { planHash } = invocation.options;
  return {
    ...readRun(invocation, context, runDetailFields),
    plan: inDirectory(plan, context),
    planHash: planHash === undefined ? undefined : readPlanHash(planHash),
  };
}

/** Executes a plan file; a host that has changed since ends `drifted`. `--limit` narrows the plan. */
export async function run(request: ApplyRequest, context: Context): Promise<ExitName> {
  const { planHash } = request;
  const bytes = await readPlanFile(request.plan);
  const sha256 = planSha256(bytes);
  // Before anything reads it.
  if (planHash !== undefined) checkPlanHash(sha256, planHash);
  const whole = decodePlan(bytes);
  await using ledger = await openRecord(request, context);
  await requireApproval({ plan: whole, sha256 }, { ledger, planHash }, context);
  const { plan, hosts } = await hostsOfPlan(whole, request, context);
  return await applyApproved({ plan, bytes, sha256, hosts, ledger, request }, context);
}

async function readPlanFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FettleError('usage', `the plan ${path} cannot be opened: ${fileProblem(cause)}`, {
      hint: 'make one with: fettle plan PLAYBOOK -o plan.json',
      cause,
    });
  }
}
