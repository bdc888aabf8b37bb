// From a playbook to a plan file: shared by `plan` and `patch`.
import { isAbsolute, join } from 'node:path';
import { encodePlan, planSha256 } from '../../config/plan/file.ts';
import { loadPlaybook } from '../../config/playbook/playbook.ts';
import { matchHosts } from '../../config/inventory/selector.ts';
import { FettleError } from '../../domain/error.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Playbook } from '../../domain/playbook.ts';
import { checkGuards } from '../../engine/plan/guards.ts';
import { makePlan } from '../../engine/plan/make-plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import { checkWritable } from './early-checks.ts';
import { loadFleet, reportDiagnostics, type Fleet } from './selected-hosts.ts';
import type { ReadOnlyRun } from './read-only-run.ts';
import { thisMachine } from './own-machine.ts';

export interface PlanRequest {
  readonly playbook: Playbook;
  readonly fleet: Fleet;
}

export interface MadePlan {
  readonly plan: Plan;
  /** The file's bytes; their SHA-256 is the plan's hash. */
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Guards are judged here: before a run is recorded and any host is contacted. */
export async function readPlanRequest(invocation: Invocation, context: Context): Promise<PlanRequest> {
  const { out } = invocation.options;
  if (out !== undefined) await checkWritable(inDirectory(out, context), '--out');
  const path = inDirectory(invocation.arguments[0] ?? '', context);
  const { playbook, diagnostics } = await loadPlaybook(path);
  reportDiagnostics(diagnostics, context);
  if (playbook === undefined) throw new FettleError('config', `${path} is no playbook`);
  const fleet = await loadFleet(invocation, context, playbook.targets.select);
  checkGuards({ playbook, selected: fleet.hosts.length, inventorySize: fleet.inventory.hosts.size });
  return { playbook, fleet };
}

export async function planFleet(
  request: PlanRequest,
  readOnly: ReadOnlyRun,
  invocation: Invocation,
  context: Context,
): Promise<MadePlan> {
  const { playbook, fleet } = request;
  const { options } = invocation;
  const plan = await makePlan({
    ...readOnly,
    playbook,
    hosts: fleet.hosts,
    select: (pattern) => matchHosts(fleet.inventory, pattern),
    id: context.newId(),
    seed: context.randomSeed(),
    fettleVersion: context.version,
    mayRefresh: options.refresh !== false,
    configuredJumps: (host) => readOnly.routes.get(host) ?? [],
    own: await thisMachine(options, context),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
  });
  const bytes = encodePlan(plan);
  const sha256 = planSha256(bytes);
  await readOnly.ledger.putBlob(bytes);
  await readOnly.context.record.append([
    {
      type: 'plan.created',
      run: readOnly.context.run,
      plan: plan.id,
      sha256,
      hosts: plan.hosts.length,
      updates: plan.hosts.reduce((sum, host) => sum + host.updates.length, 0),
      expiresMs: plan.expiresMs,
    },
  ]);
  return { plan, bytes, sha256 };
}

export function inDirectory(path: string, context: Context): string {
  return isAbsolute(path) ? path : join(context.cwd, path);
}
