import { planRefusal } from '../../domain/plan-refusal.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import type { Plan } from '../../domain/plan.ts';
import { inventorySha256 } from '../../engine/plan/inventory-hash.ts';
import type { Context } from '../invocation/context.ts';
import type { RunRequest } from '../invocation/request.ts';
import { runStarted, type LedgerToRecord } from './open-ledger.ts';
import { executePlan, partsOf, withConcurrency } from './execute-plan.ts';

export interface ApprovedPlan {
  /** As narrowed. */
  readonly plan: Plan;
  /** Of the whole plan. */
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly hosts: readonly Host[];
  readonly ledger: LedgerToRecord;
  readonly request: RunRequest;
}

/** A plan without work is executed, too: its record and exit code include the hosts that took no part in it. */
export async function applyApproved(order: ApprovedPlan, context: Context): Promise<ExitName> {
  const { bytes, sha256, hosts, ledger, request } = order;
  const plan = withConcurrency(order.plan, request.concurrency);
  const refusal = planRefusal(
    plan,
    context.clock.now(),
    new Map(hosts.map((host) => [host.name, inventorySha256(host)])),
  );
  if (refusal !== undefined) throw refusal;
  await ledger.putBlob(bytes);
  const started = runStarted({ run: context.newId(), kind: 'apply', hosts, request }, context);
  const limit = request.limit === undefined ? {} : { limit: request.limit };
  const what = { ...partsOf(plan), ...limit, planSha256: sha256, playbook: plan.playbook.name, seed: plan.seed };
  return executePlan({ plan, hosts, opening: { ...started, ...what }, ledger, request }, context);
}
