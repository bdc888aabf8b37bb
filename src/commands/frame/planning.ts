// From a playbook to a plan file: shared by `plan` and `patch`.
import { encodePlan, planSha256 } from '../../config/plan/file.ts';
import { loadPlaybook } from '../../config/playbook/playbook.ts';
import { matchHosts } from '../../config/inventory/selector.ts';
import { FettleError } from '../../domain/error.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Playbook } from '../../domain/playbook.ts';
import { checkGuards } from '../../engine/plan/guards.ts';
import { makePlan } from '../../engine/plan/make-plan.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { inDirectory, readRun, type JsonFields, type RunRequest } from '../invocation/request.ts';
import { checkWritable } from './early-checks.ts';
import { loadFleet, reportDiagnostics, type Fleet } from './selected-hosts.ts';
import type { ReadOnlyRun } from './read-only-run.ts';
import { thisMachine } from './own-machine.ts';

export interface PlaybookRequest extends RunRequest {
  /** Absolute. */
  readonly playbook: string;
  /** As typed. */
  readonly out: string | undefined;
  readonly refresh: boolean;
}

export interface PlanInput {
  readonly playbook: Playbook;
  readonly fleet: Fleet;
}

export interface MadePlan {
  readonly plan: Plan;
  /** The file's bytes; their SHA-256 is the plan's hash. */
  readonly bytes: Buffer;
  readonly sha256: string;
}

export function readPlaybook(invocation: Invocation, context: ReadContext, fields: JsonFields): PlaybookRequest {
  const [playbook = ''] = invocation.arguments;
  const { out, refresh = true } = invocation.options;
  return { ...readRun(invocation, context, fields), playbook: inDirectory(playbook, context), out, refresh };
}

/** Guards are judged here: before a run is recorded and any host is contacted. */
export async function loadPlanInput(request: PlaybookRequest, context: Context): Promise<PlanInput> {
  const { out, playbook: path } = request;
  if (out !== undefined) await checkWritable(inDirectory(out, context), '--out');
  const { playbook, diagnostics } = await loadPlaybook(path);
  reportDiagnostics(diagnostics, context);
  if (playbook === undefined) {
    throw new FettleError('config', `${path} is not a playbook`, {
      hint: 'print the schema of playbooks with: fettle schema print playbook',
    });
  }
  const fleet = await loadFleet(request, context, playbook.targets.select);
  checkGuards({ playbook, selected: fleet.hosts.length, inventorySize: fleet.inventory.hosts.size });
  return { playbook, fleet };
}

export async function planFleet(
  { playbook, fleet }: PlanInput,
  request: PlaybookRequest,
  readOnly: ReadOnlyRun,
  context: Context,
): Promise<MadePlan> {
  const plan = await makePlan({
    ...readOnly,
    playbook,
    hosts: fleet.hosts,
    select: (pattern) => matchHosts(fleet.inventory, pattern),
    id: context.newId(),
    seed: context.randomSeed(),
    fettleVersion: context.version,
    mayRefresh: request.refresh,
    configuredJumps: (host) => readOnly.routes.get(host) ?? [],
    own: await thisMachine(request, context),
    ...(request.limit === undefined ? {} : { limit: request.limit }),
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
