import { readFile } from 'node:fs/promises';
import { checkPlanHash, decodePlan, planSha256 } from '../config/plan-file.ts';
import { planRefusal } from '../domain/drift.ts';
import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import type { Host } from '../domain/host.ts';
import type { Plan } from '../domain/plan.ts';
import { inventorySha256 } from '../engine/inventory-hash.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { requireApproval } from './approval.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { inDirectory } from './planning.ts';
import { openRecord, runStarted } from './record.ts';
import { carryOut, hostsOfPlan, partsOf, withConcurrency } from './rollout.ts';

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

export interface ApprovedPlan {
  /** As narrowed. */
  readonly plan: Plan;
  /** Of the whole plan. */
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly hosts: readonly Host[];
  readonly ledger: Ledger;
  readonly invocation: Invocation;
}

/** A plan without work is carried out, too: the record and the exit code tell of hosts that took no part in it. */
export async function applyApproved(order: ApprovedPlan, context: Context): Promise<ExitName> {
  const { bytes, sha256, hosts, ledger } = order;
  const { options } = order.invocation;
  const plan = withConcurrency(order.plan, options.concurrency);
  const refusal = planRefusal(
    plan,
    context.clock.now(),
    new Map(hosts.map((host) => [host.name, inventorySha256(host)])),
  );
  if (refusal !== undefined) throw refusal;
  await ledger.putBlob(bytes);
  const started = runStarted({ run: context.newId(), kind: 'apply', hosts, options }, context);
  const limit = options.limit === undefined ? {} : { limit: options.limit };
  const what = { ...partsOf(plan), ...limit, planSha256: sha256, playbook: plan.playbook.name, seed: plan.seed };
  return await carryOut({ plan, hosts, opening: { ...started, ...what }, ledger, options }, context);
}
