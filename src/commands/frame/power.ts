// Reboots and shutdowns: plans without a playbook, executed as any other.
import { encodePlan, planSha256 } from '../../config/plan/file.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import { reachedThrough } from '../../domain/jump.ts';
import type { RebootSettings } from '../../domain/playbook.ts';
import { rebootPlan } from '../../engine/plan/power-plan.ts';
import type { Context } from '../invocation/context.ts';
import type { RunRequest } from '../invocation/request.ts';
import { openRecord, runStarted } from './open-ledger.ts';
import { openConnections } from './connections.ts';
import { executePlan } from './execute-plan.ts';

const minuteMs = 60_000;

const limits = {
  max: 1,
  goDownMs: 2 * minuteMs,
  comeBackMs: 10 * minuteMs,
  settleMs: minuteMs,
  hasDefaultLimits: true,
} as const;

const install = {
  timeoutMs: 60 * minuteMs,
  lockWaitMs: 10 * minuteMs,
  conffile: 'keep-old',
  onDrift: 'refuse-host',
  restartServices: 'never',
  maxAgeMs: Number.MAX_SAFE_INTEGER,
} as const;

const verify = {
  failedUnits: 'fail',
  listeners: 'fail',
  staleProcesses: 'warn',
  ignore: [],
  retries: 3,
  retryDelayMs: 5_000,
} as const;

interface PowerOrder {
  readonly kind: 'reboot' | 'shutdown';
  readonly hosts: readonly Host[];
  readonly select: string;
  readonly settings: Pick<RebootSettings, 'mode' | 'ifIdle' | 'power'>;
  readonly request: RunRequest;
}

export async function executePower(order: PowerOrder, context: Context): Promise<ExitName> {
  const { kind, hosts, select, request } = order;
  const via = await jumpHosts(hosts, request, context);
  const plan = rebootPlan({
    via,
    id: context.newId(),
    name: kind,
    hosts,
    settings: { ...order.settings, ...limits },
    install,
    verify,
    concurrency: request.concurrency ?? 1,
    maxFailures: 0,
    createdMs: context.clock.now(),
    fettleVersion: context.version,
    select,
    seed: context.randomSeed(),
  });
  await using ledger = await openRecord(request, context);
  const bytes = encodePlan(plan);
  await ledger.putBlob(bytes);
  const started = runStarted({ run: context.newId(), kind, hosts, request }, context);
  const opening = { ...started, planSha256: planSha256(bytes), playbook: kind };
  return await executePlan({ plan, hosts, opening, ledger, request }, context);
}

async function jumpHosts(
  hosts: readonly Host[],
  request: RunRequest,
  context: Context,
): Promise<ReadonlyMap<string, readonly string[]>> {
  await using connections = await openConnections(hosts, request, { wanted: 1 }, context);
  const { routes } = connections;
  return reachedThrough(hosts, (host) => routes.get(host) ?? []);
}
