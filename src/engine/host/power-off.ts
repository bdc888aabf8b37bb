import { formatDuration } from '../../base/format.ts';
import { asFettleError, FettleError, isOutage, isUnreached, toErrorRecord } from '../../domain/error.ts';
import type { RebootMode } from '../../domain/host.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { OpenStep } from '../../domain/record.ts';
import type { HostScan } from '../../domain/scan.ts';
import { emit, emitStart, ofHost, show } from '../context.ts';
import type { HostContext } from '../context.ts';
import { endWith, detachedOutcome, openStep, outcomeOfError, scanNow } from './host-state.ts';
import type { HostWork } from './host-state.ts';
import { jobOf } from '../job/job-order.ts';
import { collectQuietly } from '../job/run-job.ts';
import { startJob } from '../job/start-job.ts';
import { bootMark, CommandWatch, isNew, probeBoot } from './reboot-proof.ts';
import { isInUse, rebootObstacle, refusal, whatKeepsUp } from './reboot.ts';

/** So long a host does not answer before it counts as off; one that was only busy would have. */
const stayGoneMs = 20_000;

type PowerOffEnd =
  | { readonly kind: 'off'; readonly afterMs: number }
  | { readonly kind: 'not-off'; readonly error: FettleError }
  | { readonly kind: 'in-use'; readonly error: FettleError }
  | { readonly kind: 'lost'; readonly error: FettleError }
  | { readonly kind: 'detached' };

/** The last stage of a host that is switched off: nothing can be checked afterwards. `never` holds for this too. */
export async function powerOffStage(work: HostWork, mode: RebootMode): Promise<Outcome> {
  const open = openStep(work, 'reboot');
  if (open?.bootIdBefore !== undefined) return powerOff(work, open.bootIdBefore, open);
  if (mode === 'never') {
    return endWith(work, 'skipped', work.isController ? 'fettle runs on it' : 'its patch_reboot is never');
  }
  const scan = work.current ?? (await scanNow(work, 'after'));
  const mark = bootMark(scan.facts);
  if (mark === undefined)
    return failed(work, new FettleError('reboot', 'no boot ID available; a shutdown could not be verified'));
  const obstacle = await waitForObstacle(work, scan);
  return obstacle === undefined ? powerOff(work, mark) : failed(work, obstacle);
}

/** A package manager that is at work is waited for as long as its lock would be. */
export async function waitForObstacle(work: HostWork, first: HostScan): Promise<FettleError | undefined> {
  const { clock, detach } = work.context;
  const deadlineMs = clock.elapsedMs() + work.plan.install.lockWaitMs;
  let obstacle = rebootObstacle(first);
  while (obstacle?.code === 'lock-held' && clock.elapsedMs() < deadlineMs) {
    await clock.sleep(work.context.limits.rebootPollMs, detach);
    obstacle = rebootObstacle(await scanNow(work, 'after'));
  }
  return obstacle;
}

async function powerOff(work: HostWork, bootIdBefore: string, open?: OpenStep): Promise<Outcome> {
  using _slot = await work.context.rebootSlot(work.context.detach);
  work.hasBegun = true;
  work.current = undefined;
  const { goDownMs, ifIdle } = work.hostPlan.rebootSettings;
  const order = { goDownMs, isIdleOnly: ifIdle === true, bootIdBefore, ...(open === undefined ? {} : { open }) };
  const end = await powerOffHost(work.context, order);
  switch (end.kind) {
    case 'off': {
      work.isOff = true;
      const [after, gone] = [end.afterMs, stayGoneMs].map((ms) => Math.round(ms / 1_000));
      return endWith(
        work,
        'verified',
        `off: it stopped answering ${after} s after the request and did not answer for ${gone} s`,
      );
    }
    case 'in-use':
      work.hasBegun = false;
      return endWith(work, 'skipped', `left running: ${end.error.message}`);
    case 'not-off':
      return failed(work, end.error);
    case 'lost':
      return outcomeOfError(work, end.error, 'power off');
    case 'detached':
      return detachedOutcome(work);
  }
}

function failed(work: HostWork, error: FettleError): Outcome {
  return endWith(work, 'failed', `still powered on: ${error.message}`, { error });
}

interface PowerOffOrder {
  readonly goDownMs: number;
  readonly isIdleOnly: boolean;
  readonly bootIdBefore: string;
  /** The step an earlier process began. */
  readonly open?: OpenStep;
}

/** By a detached job, as everything that changes a host; the proof is that it went away and stayed away. */
async function powerOffHost(context: HostContext, order: PowerOffOrder): Promise<PowerOffEnd> {
  const job = order.open?.job ?? jobOf(context, { step: 'reboot', part: 'power-off' });
  const step = { ...ofHost(context), step: 'reboot', name: 'power off', job } as const;
  if (order.open === undefined) {
    await emitStart(context, { type: 'step.started', ...step, jobKind: 'reboot', bootIdBefore: order.bootIdBefore });
  }
  const end = await drive(context, order, job);
  if (end.kind === 'lost' || end.kind === 'detached') return end;
  if (end.kind === 'off') {
    await emit(context, [{ type: 'step.finished', ...step, ok: true }]);
    return end;
  }
  const error = toErrorRecord(end.error);
  await emit(context, [{ type: 'step.finished', ...step, ok: false, message: end.error.message, error }]);
  await collectQuietly(context, job);
  return end;
}

async function drive(context: HostContext, order: PowerOffOrder, job: string): Promise<PowerOffEnd> {
  const { goDownMs, isIdleOnly, open } = order;
  try {
    const probe = open === undefined ? undefined : await probeBoot(context);
    if (probe?.kind !== 'down') {
      const request = { fields: { power: 'off', ...(isIdleOnly ? { idle: 'yes' } : {}) } };
      const named = { step: 'reboot', kind: 'reboot', request, timeoutMs: goDownMs, job } as const;
      const started = await startJob(context, open === undefined ? named : { ...named, open });
      if ('kind' in started && started.kind === 'refused') {
        return { kind: isUnreached(started.error) ? 'lost' : 'not-off', error: started.error };
      }
      if ('kind' in started && started.kind === 'detached') return started;
      const refused = await refusal(context, job, 'power off');
      if (refused !== undefined) return { kind: isInUse(refused) ? 'in-use' : 'not-off', error: refused };
    }
    return await waitUntilGone(context, order, job);
  } catch (thrown) {
    if (context.detach.aborted) return { kind: 'detached' };
    return { kind: 'lost', error: asFettleError(thrown) };
  }
}

/** Only silence counts: a login that is refused comes from a system that still runs. */
async function waitUntilGone(context: HostContext, order: PowerOffOrder, job: string): Promise<PowerOffEnd> {
  const { clock, detach, limits } = context;
  const { goDownMs, bootIdBefore } = order;
  const command = new CommandWatch(context, job);
  const startMs = clock.elapsedMs();
  let goneMs: number | undefined;
  show(context, { type: 'live.note', host: context.host.name, note: 'powering off' });
  for (;;) {
    const probe = await probeBoot(context);
    if (isNew(probe, bootIdBefore)) {
      return { kind: 'not-off', error: new FettleError('reboot', 'it came back with a new boot id: it rebooted') };
    }
    if (probe.kind === 'up' && (await command.refuses()) && command.refusal !== undefined) {
      return { kind: 'not-off', error: command.refusal };
    }
    const nowMs = clock.elapsedMs();
    goneMs = probe.kind === 'down' && isOutage(probe.error) ? (goneMs ?? nowMs) : undefined;
    if (goneMs !== undefined && nowMs - goneMs >= stayGoneMs) return { kind: 'off', afterMs: goneMs - startMs };
    if (goneMs === undefined && nowMs - startMs >= goDownMs) {
      return { kind: 'not-off', error: stillOn(context, goDownMs, bootIdBefore) };
    }
    await clock.sleep(limits.rebootPollMs, detach);
  }
}

function stillOn(context: HostContext, goDownMs: number, bootId: string): FettleError {
  return new FettleError('reboot', `the host did not go down within ${formatDuration(goDownMs)}`, {
    hint: whatKeepsUp(context),
    details: { bootId },
  });
}
