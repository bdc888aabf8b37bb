import { encodePlan, planSha256 } from '../config/plan-file.ts';
import type { ExitName } from '../domain/exit.ts';
import { rebootPlan } from '../engine/reboot-plan.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { loadFleet } from './fleet.ts';
import { openRecord, runStarted } from './record.ts';
import { carryOut, confirm } from './rollout.ts';

const minuteMs = 60_000;

/** Reboots hosts that ask for it, all with `--force`, and proves each by its boot id. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const select = invocation.arguments[0] ?? 'all';
  const { hosts } = await loadFleet(invocation, context, select);
  const which = options.force === true ? 'reboot' : 'reboot, where it is needed,';
  if (!(await confirm(`${which} ${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}?`, options, context)))
    return 'ok';
  const plan = rebootPlan({
    id: context.newId(),
    hosts,
    settings: {
      mode: options.force === true ? 'always' : 'if-needed',
      max: 1,
      goDownMs: 2 * minuteMs,
      comeBackMs: 10 * minuteMs,
      settleMs: minuteMs,
    },
    install: {
      timeoutMs: 60 * minuteMs,
      lockWaitMs: 10 * minuteMs,
      conffile: 'keep-old',
      onDrift: 'refuse-host',
      restartServices: 'never',
      maxAgeMs: Number.MAX_SAFE_INTEGER,
    },
    verify: {
      failedUnits: 'fail',
      listeners: 'fail',
      staleProcesses: 'warn',
      ignore: [],
      retries: 3,
      retryDelayMs: 5_000,
    },
    concurrency: options.concurrency ?? 1,
    maxFailures: 0,
    createdMs: context.clock.now(),
    fettleVersion: context.version,
    select,
    seed: context.randomSeed(),
  });
  await using ledger = await openRecord(options, context);
  const bytes = encodePlan(plan);
  await ledger.putBlob(bytes);
  const started = runStarted({ run: context.newId(), kind: 'reboot', hosts, options }, context);
  const opening = { ...started, planSha256: planSha256(bytes), playbook: 'reboot' };
  return await carryOut({ plan, hosts, opening, ledger, options }, context);
}
