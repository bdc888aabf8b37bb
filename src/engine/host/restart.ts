import type { Outcome } from '../../domain/outcome.ts';
import type { HostScan } from '../../domain/scan.ts';
import { note } from '../context.ts';
import { endLost, isDone, detachedOutcome, openStep, scanNow } from './host-state.ts';
import type { HostWork } from './host-state.ts';
import { concludeByExit, runJob } from '../job/run-job.ts';
import { shouldReboot } from './reboot-stage.ts';

const restartTimeoutMs = 10 * 60_000;

/** Restarting these ends logins, sessions or the message bus under everything else; only a reboot renews them. */
const neverRestarted = [
  /^dbus(-broker)?\.service$/,
  /^systemd-logind\.service$/,
  /^(gdm3?|sddm|lightdm|lxdm|xdm|slim|display-manager)\.service$/,
  /^(user|getty|serial-getty)@.*\.service$/,
  /^fettle-.*\.service$/,
];

/** Units that still run replaced code and may be restarted. */
export function restartableUnits(scan: HostScan): string[] {
  const units = scan.health.staleProcesses.flatMap(({ unit, isPersonal }) =>
    unit === undefined || isPersonal === true ? [] : [unit],
  );
  const isRestartable = (unit: string): boolean =>
    /^[A-Za-z0-9.+~:_@\\-]+\.service$/.test(unit) && !neverRestarted.some((pattern) => pattern.test(unit));
  return [...new Set(units)].filter(isRestartable).toSorted();
}

/** Restarts stale services where the plan says so and no reboot is about to do it. */
export async function restartServices(work: HostWork): Promise<Outcome | undefined> {
  const { context, plan } = work;
  const open = openStep(work, 'restart');
  if (plan.install.restartServices !== 'stale' || work.reboots > 0 || isDone(work, 'restart')) return undefined;
  if (openStep(work, 'reboot') !== undefined) return undefined;
  const scan = work.current ?? (await scanNow(work, 'after'));
  if (work.failure !== undefined && scan.broken.length > 0) return undefined;
  const units = restartableUnits(scan);
  if (shouldReboot(work, scan) || (units.length === 0 && open === undefined)) return undefined;
  work.hasBegun = true;
  work.current = undefined;
  const end = await runJob(context, {
    step: 'restart',
    kind: 'restart',
    request: { rows: units.map((unit) => [unit]) },
    timeoutMs: restartTimeoutMs,
    ...(open === undefined ? {} : { open }),
  });
  if (end.kind === 'detached') return detachedOutcome(work);
  if (end.kind === 'lost') return endLost(work, end.error, 'restart');
  const { ok, message } = concludeByExit(end);
  // What still runs old code is found by the scan that follows.
  if (!ok) await note(context, 'warn', `services were not all restarted: ${message ?? 'see the log'}`);
  return undefined;
}
