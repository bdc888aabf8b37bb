import { readFile } from 'node:fs/promises';
import { decodePlan, planSha256 } from '../config/plan-file.ts';
import { planRefusal } from '../domain/drift.ts';
import { FettleError } from '../domain/error.ts';
import type { ExitName } from '../domain/exit.ts';
import type { Host } from '../domain/host.ts';
import type { Plan } from '../domain/plan.ts';
import { inventorySha256 } from '../engine/inventory-hash.ts';
import { hasWork } from '../engine/plan.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { inDirectory } from './planning.ts';
import { openRecord, runStarted } from './record.ts';
import { carryOut, planHosts } from './rollout.ts';

/** Naming the plan file is the approval: what it says is done, or the host says `drifted`. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const path = inDirectory(invocation.arguments[0] ?? '', context);
  const bytes = await readPlanFile(path);
  const sha256 = planSha256(bytes);
  const plan = decodePlan(bytes);
  const hosts = await planHosts(plan, invocation, context);
  return applyDecoded({ plan, bytes, sha256, hosts, invocation }, context);
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

export interface PlanToApply {
  readonly plan: Plan;
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly hosts: readonly Host[];
  readonly invocation: Invocation;
}

/** `--limit` narrows a plan to some of its hosts; all others stay as they are. */
export async function applyDecoded(order: PlanToApply, context: Context): Promise<ExitName> {
  const { bytes, sha256, hosts } = order;
  const { options } = order.invocation;
  const plan = options.limit === undefined ? order.plan : narrowed(order.plan, new Set(hosts.map((host) => host.name)));
  const refusal = planRefusal(
    plan,
    context.clock.now(),
    new Map(hosts.map((host) => [host.name, inventorySha256(host)])),
  );
  if (refusal !== undefined) throw refusal;
  if (!plan.hosts.some(hasWork)) {
    context.console.message('nothing to do: every host of the plan is as it should be');
    return 'ok';
  }
  await using ledger = await openRecord(options, context);
  await ledger.putBlob(bytes);
  const run = context.newId();
  const started = runStarted({ run, kind: 'apply', hosts, options }, context);
  const opening = { ...started, planSha256: sha256, playbook: plan.playbook.name, seed: plan.seed };
  return await carryOut({ plan, hosts, opening, ledger, options }, context);
}

export function narrowed(plan: Plan, names: ReadonlySet<string>): Plan {
  return {
    ...plan,
    hosts: plan.hosts.filter((host) => names.has(host.host)),
    absent: plan.absent.filter((item) => names.has(item.host)),
    waves: plan.waves.map((wave) => ({ ...wave, hosts: wave.hosts.filter((name) => names.has(name)) })),
  };
}
