import { FettleError } from '../../domain/error.ts';
import type { RebootMode } from '../../domain/host.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { HostScan } from '../../domain/scan.ts';
import { runHooks } from './hook-stage.ts';
import { endWith, detachedOutcome, openStep, outcomeOfError, scanNow } from './host-state.ts';
import type { HostWork } from './host-state.ts';
import { powerOffStage, waitForObstacle } from './power-off.ts';
import { bootMark } from './reboot-proof.ts';
import { rebootHost, rebootReasons } from './reboot.ts';

/** `patch_reboot: never` wins over the plan, and the machine fettle runs on is not rebooted by its own run. */
export function rebootMode(work: HostWork): RebootMode {
  if (work.context.host.patch.reboot === 'never' || work.isController || work.inUse !== undefined) return 'never';
  return work.hostPlan.rebootSettings.mode;
}

export function shouldReboot(work: HostWork, scan: HostScan): boolean {
  const mode = rebootMode(work);
  if (mode === 'never' || work.reboots >= maxReboots(work)) return false;
  const isNeeded = rebootReasons(scan).needed === 'yes';
  // After an update that failed only need counts, and a torn package might keep the host from starting.
  if (work.failure !== undefined) return isNeeded && scan.broken.length === 0;
  return isNeeded || (mode === 'always' && work.reboots === 0);
}

function maxReboots(work: HostWork): number {
  return Math.min(work.hostPlan.rebootSettings.max, work.context.host.patch.maxReboots ?? Infinity);
}

/** Reboots as often as it is needed and allowed; one that an earlier process began is completed first. */
export async function rebootStage(work: HostWork): Promise<Outcome | undefined> {
  if (work.hostPlan.rebootSettings.power === 'off') return powerOffStage(work, rebootMode(work));
  const open = openStep(work, 'reboot');
  if (open?.bootIdBefore !== undefined) {
    const outcome = await rebootOnce(work, { open, bootIdBefore: open.bootIdBefore, reasons: ['started earlier'] });
    if (outcome !== undefined) return outcome;
  }
  for (;;) {
    const scan = work.current ?? (await scanNow(work, 'after'));
    if (!shouldReboot(work, scan)) return undefined;
    const outcome = await prepare(work, scan);
    if (outcome !== undefined) return outcome;
  }
}

async function prepare(work: HostWork, scan: HostScan): Promise<Outcome | undefined> {
  const mark = bootMark(scan.facts);
  if (mark === undefined) {
    const error = new FettleError('reboot', 'no boot ID available; a reboot could not be verified');
    return pending(work, error);
  }
  const obstacle = await waitForObstacle(work, scan);
  if (obstacle !== undefined) return pending(work, obstacle);
  const { reasons } = rebootReasons(scan);
  return rebootOnce(work, { bootIdBefore: mark, reasons: reasons.length > 0 ? reasons : ['the mode is always'] });
}

interface Begun {
  readonly bootIdBefore: string;
  readonly reasons: readonly string[];
  readonly open?: NonNullable<ReturnType<typeof openStep>>;
}

async function rebootOnce(work: HostWork, begun: Begun): Promise<Outcome | undefined> {
  const { context, hostPlan } = work;
  using _slot = await context.rebootSlot(context.detach);
  if (begun.open === undefined) {
    const refusal = await runHooks(work, 'before_reboot');
    if (refusal !== undefined) return refusal;
  }
  work.hasBegun = true;
  work.current = undefined;
  const ordinal = work.reboots + 1;
  const end = await rebootHost(context, { settings: hostPlan.rebootSettings, ordinal, ...begun });
  switch (end.kind) {
    case 'rebooted':
      work.reboots += 1;
      return undefined;
    case 'not-rebooted':
      return pending(work, end.error);
    case 'in-use':
      work.inUse = end.error.message;
      return undefined;
    case 'lost':
      return outcomeOfError(work, new FettleError('lost', end.error.message, lostOptions(end.error)), 'reboot');
    case 'detached':
      return detachedOutcome(work);
  }
}

function lostOptions(cause: FettleError): { cause: FettleError; hint?: string; details?: Record<string, unknown> } {
  return {
    cause,
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    details: { ...cause.details, code: cause.code },
  };
}

function pending(work: HostWork, error: FettleError): Outcome {
  return endWith(work, 'pending-reboot', `patched, not rebooted: ${error.message}`, { error });
}
