import { formatDuration } from '../../base/format.ts';
import { asFettleError, FettleError, isUnreached, toErrorRecord } from '../../domain/error.ts';
import type { RebootSettings } from '../../domain/playbook.ts';
import type { OpenStep } from '../../domain/record.ts';
import type { HostScan } from '../../domain/scan.ts';
import { emit, emitStart, ofHost, show } from '../context.ts';
import type { HostContext } from '../context.ts';
import { jobOf } from '../job/job-order.ts';
import { collectQuietly } from '../job/run-job.ts';
import { startJob } from '../job/start-job.ts';
import { bootMark, CommandWatch, isNew, probeBoot } from './reboot-proof.ts';
import type { BootProbe } from './reboot-proof.ts';

export interface RebootOrder {
  readonly settings: Pick<RebootSettings, 'goDownMs' | 'comeBackMs' | 'settleMs' | 'ifIdle'>;
  /** The mark of this boot (`bootMark`); the proof is another one. */
  readonly bootIdBefore: string;
  readonly reasons: readonly string[];
  /** Counts the reboots of this host in this run, from 1; a part of the job's name. */
  readonly ordinal: number;
  /** The reboot an earlier process began. */
  readonly open?: OpenStep;
}

export type RebootEnd =
  | { readonly kind: 'rebooted'; readonly bootIdAfter: string; readonly downMs: number }
  /** The host is up under its old boot id: the reboot did not happen. */
  | { readonly kind: 'not-rebooted'; readonly error: FettleError }
  /** Somebody is logged on, and it was to be left alone then. */
  | { readonly kind: 'in-use'; readonly error: FettleError }
  /** The host went away and nobody knows more; the step stays open. */
  | { readonly kind: 'lost'; readonly error: FettleError }
  | { readonly kind: 'detached' };

/** Logins are refused for a while by pam_nologin on the way down and up; longer than this they are refused for good. */
const authPatienceMs = 90_000;
/**
 * Windows refuses logins until its domain can be asked, a lone domain controller until it answers for itself, which may
 * take a quarter of an hour. Each refusal may count against the account's lockout: the pauses grow, so that five logins
 * cover that time.
 */
const windowsAuthPausesMs = [60_000, 120_000, 240_000, 480_000] as const;
const windowsAuthPatienceMs = windowsAuthPausesMs.reduce((sum, ms) => sum + ms, -1_000);

/**
 * Reboots one host by a detached job and proves it by another boot id, or in a container by another start of its PID 1: going down, coming back and settling each have
 * their own limit. Ledger errors are thrown.
 */
export async function rebootHost(context: HostContext, order: RebootOrder): Promise<RebootEnd> {
  const job = order.open?.job ?? jobOf(context, { step: 'reboot', part: `reboot-${order.ordinal}` });
  const step = { ...ofHost(context), step: 'reboot', job } as const;
  if (order.open === undefined) {
    await emitStart(context, { type: 'step.started', ...step, jobKind: 'reboot', bootIdBefore: order.bootIdBefore });
  }
  const end = await drive(context, order, job);
  if (end.kind === 'lost' || end.kind === 'detached') return end;
  if (end.kind === 'not-rebooted' || end.kind === 'in-use') {
    const error = toErrorRecord(end.error);
    await emit(context, [{ type: 'step.finished', ...step, ok: false, message: end.error.message, error }]);
  } else {
    const { attempt: _attempt, ...host } = ofHost(context);
    const { bootIdBefore, reasons } = order;
    const { bootIdAfter, downMs } = end;
    await emit(context, [
      { type: 'host.rebooted', ...host, bootIdBefore, bootIdAfter, reasons, downMs },
      { type: 'step.finished', ...step, ok: true },
    ]);
  }
  await collectQuietly(context, job);
  return end;
}

async function drive(context: HostContext, order: RebootOrder, job: string): Promise<RebootEnd> {
  try {
    const probe = order.open === undefined ? undefined : await probeBoot(context);
    if (!isNew(probe, order.bootIdBefore) && probe?.kind !== 'down') {
      const request = { fields: order.settings.ifIdle === true ? { idle: 'yes' } : {} };
      const named = { step: 'reboot', kind: 'reboot', request, timeoutMs: order.settings.goDownMs, job } as const;
      const started = await startJob(context, order.open === undefined ? named : { ...named, open: order.open });
      if ('kind' in started && started.kind === 'refused') {
        return { kind: isUnreached(started.error) ? 'lost' : 'not-rebooted', error: started.error };
      }
      if ('kind' in started && started.kind === 'detached') return started;
      const refused = await refusal(context, job, 'reboot');
      if (refused !== undefined) return { kind: isInUse(refused) ? 'in-use' : 'not-rebooted', error: refused };
    }
    return await prove(context, order, job);
  } catch (thrown) {
    if (context.detach.aborted) return { kind: 'detached' };
    return { kind: 'lost', error: asFettleError(thrown) };
  }
}

async function prove(context: HostContext, order: RebootOrder, job: string): Promise<RebootEnd> {
  const { clock } = context;
  const { settings, bootIdBefore } = order;
  const command = new CommandWatch(context, job);
  const down = await waitUntil(context, settings.goDownMs, 'going down', async (probe) =>
    probe.kind === 'down' || isNew(probe, bootIdBefore) || (await command.refuses()) ? probe : undefined,
  );
  if (command.refusal !== undefined) return { kind: 'not-rebooted', error: command.refusal };
  if (down === undefined) return { kind: 'not-rebooted', error: stayedUp(context, order) };
  const downSinceMs = clock.elapsedMs();
  let deniedSinceMs: number | undefined;
  let last: BootProbe = down;
  const back = await waitUntil(context, settings.comeBackMs, 'coming back', (probe) => {
    last = probe;
    if (probe.kind === 'down') {
      if (probe.error.code === 'host-key') throw strangerCameBack(context, probe.error);
      deniedSinceMs = ['auth', 'elevate'].includes(probe.error.code) ? (deniedSinceMs ?? clock.elapsedMs()) : undefined;
      if (deniedSinceMs !== undefined && clock.elapsedMs() - deniedSinceMs > authPatience(context)) throw probe.error;
    }
    return isNew(probe, bootIdBefore) ? probe : undefined;
  });
  if (back === undefined) {
    if (isUp(last)) {
      return { kind: 'not-rebooted', error: down.kind === 'down' ? sameBoot(order) : stayedUp(context, order) };
    }
    return { kind: 'lost', error: stayedAway(context, order, last) };
  }
  const downMs = down.kind === 'down' ? clock.elapsedMs() - downSinceMs : 0;
  await settle(context, settings.settleMs);
  return { kind: 'rebooted', bootIdAfter: bootMark(back) ?? back.bootId, downMs: Math.round(downMs) };
}

function isWindows({ host }: HostContext): boolean {
  return host.connection.shell === 'powershell';
}

function authPatience(context: HostContext): number {
  return isWindows(context) ? windowsAuthPatienceMs : authPatienceMs;
}

function isUp(probe: BootProbe): boolean {
  return probe.kind === 'up';
}

async function settle(context: HostContext, limitMs: number): Promise<void> {
  const settled = await waitUntil(context, limitMs, 'settling', (probe) =>
    probe.kind === 'up' && probe.isSettled ? probe : undefined,
  );
  if (settled !== undefined) return;
  const message = `its system was still starting ${Math.round(limitMs / 1000)} s after the reboot`;
  await emit(context, [{ type: 'note', run: context.run, host: context.host.name, level: 'warn', message }]);
}

/** Probes until `found` answers or the time is over; at least once. */
async function waitUntil<T>(
  context: HostContext,
  limitMs: number,
  phase: string,
  found: (probe: BootProbe) => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const { clock, detach, limits } = context;
  const startMs = clock.elapsedMs();
  let denials = 0;
  show(context, { type: 'live.note', host: context.host.name, note: `rebooting: ${phase}` });
  for (;;) {
    const probe = await probeBoot(context);
    const answer = await found(probe);
    if (answer !== undefined) return answer;
    if (clock.elapsedMs() - startMs >= limitMs) return undefined;
    const isDenied = probe.kind === 'down' && probe.error.code === 'auth' && isWindows(context);
    denials = isDenied ? denials + 1 : 0;
    await clock.sleep(isDenied ? deniedPauseMs(denials) : limits.rebootPollMs, detach);
  }
}

function deniedPauseMs(denials: number): number {
  return windowsAuthPausesMs[denials - 1] ?? windowsAuthPausesMs.at(-1) ?? 0;
}

function stayedUp(context: HostContext, order: RebootOrder): FettleError {
  return new FettleError('reboot', `the host did not reboot within ${formatDuration(order.settings.goDownMs)}`, {
    hint: whatKeepsUp(context),
    details: { bootId: order.bootIdBefore },
  });
}

/** It was away, and what distinguishes boots did not change: the network was down, or a container rebooted. */
function sameBoot({ bootIdBefore }: RebootOrder): FettleError {
  return new FettleError(
    'reboot',
    'the host stopped answering and came back with the same boot id: no reboot is proven',
    {
      hint: 'a container has the boot id of its host machine: check the start time of its PID 1 (ps -o lstart= -p 1)',
      details: { bootId: bootIdBefore },
    },
  );
}

/** Where to find the cause on a host that does not go down. */
export function whatKeepsUp(context: HostContext): string {
  return isWindows(context)
    ? 'check for updates that are still being installed, services that do not stop, and shutdown.exe /a in its event log (1074, 1075)'
    : 'check for inhibitors (systemd-inhibit --list), waiting jobs (systemctl list-jobs) or services that do not stop';
}

/** The job checks before it reboots; its refusal comes at once. A connection that drops may be the reboot. */
export async function refusal(context: HostContext, job: string, verb: string): Promise<FettleError | undefined> {
  try {
    const options = { waitSec: 2, maxBytes: 4_096, signal: context.detach };
    for (let tries = 0; tries < 5; tries += 1) {
      const { result } = await context.remote.followJob(job, 0, options);
      if (result === undefined) continue;
      if (result.verdict === 'ok') return undefined;
      const words = result.message ?? result.verdict;
      if (result.verdict === 'in-use') return new FettleError('reboot', words, { details: { verdict: 'in-use' } });
      return new FettleError(
        result.verdict === 'busy' ? 'lock-held' : 'reboot',
        `the host refuses to ${verb}: ${words}`,
      );
    }
  } catch (error) {
    // A host on its way down answers oddly or not at all; whether it reboots is proven by its boot id.
    if (context.detach.aborted || asFettleError(error).code === 'ledger') throw error;
  }
  return undefined;
}

export function isInUse(error: FettleError): boolean {
  return error.details?.['verdict'] === 'in-use';
}

function stayedAway(context: HostContext, order: RebootOrder, last: BootProbe): FettleError {
  const limit = formatDuration(order.settings.comeBackMs);
  const why = last.kind === 'down' ? ` (${last.error.message})` : '';
  return new FettleError('lost', `the host did not come back within ${limit} of its reboot${why}`, {
    hint: `check its console; when it is back: fettle run resume ${context.run}`,
    details: { bootIdBefore: order.bootIdBefore, step: 'reboot' },
  });
}

function strangerCameBack(context: HostContext, cause: FettleError): FettleError {
  const [what, where] = isWindows(context) ? ['certificate', 'its pin or line'] : ['host key', 'known_hosts'];
  return new FettleError('host-key', `a different ${what} answers after the reboot: ${cause.message}`, {
    cause,
    hint: `find the cause, correct ${where}, then: fettle run resume ${context.run}`,
  });
}

/** Why the host should not be rebooted right now, from a fresh scan; undefined when it may. */
export function rebootObstacle(scan: HostScan): FettleError | undefined {
  if (scan.running.length > 0) {
    const names = scan.running.map((item) => `${item.name} (pid ${item.pid})`).join(', ');
    return new FettleError('lock-held', `a package manager is running: ${names}`, {
      hint: 'reboot the host when it has finished',
    });
  }
  const initrd = scan.problems.find((problem) => problem.code === 'initrd-missing');
  if (initrd === undefined) return undefined;
  return new FettleError('reboot', `it might not boot: ${initrd.message}`, {
    hint: 'create the initrd on the host (update-initramfs -u -k all), then resume the run',
  });
}

/** Reasons that hold on this host: a container runs its host's kernel, whatever packages lie in it. */
export function rebootReasons(scan: HostScan): {
  readonly needed: 'yes' | 'no' | 'unknown';
  readonly reasons: readonly string[];
} {
  const { needed, reasons } = scan.reboot;
  if (!scan.facts.isContainer || needed === 'no') return { needed, reasons };
  const own = reasons.filter((reason) => !/^(running )?kernel\b/i.test(reason));
  return own.length === 0 && reasons.length > 0 ? { needed: 'no', reasons: [] } : { needed, reasons: own };
}
