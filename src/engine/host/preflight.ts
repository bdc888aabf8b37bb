import { FettleError } from '../../domain/error.ts';
import { switchedOff, type Host } from '../../domain/host.ts';
import type { HostPlan } from '../../domain/plan.ts';
import type { FileSystem, HostScan } from '../../domain/scan.ts';
import { packageLabel } from '../../domain/update.ts';
import type { PackageManager } from '../../managers/contract/package-manager.ts';

/** Package managers of a host, for the commands that hints name. */
type Advisers = readonly Pick<PackageManager, 'name' | 'remedies'>[];

export interface PreflightInput {
  readonly run: string;
  readonly host: Host;
  readonly hostPlan: HostPlan;
  readonly scan: HostScan;
  readonly managers: Advisers;
  readonly nowMs: number;
  /** What is broken may be our own earlier work: it is repaired instead of refused. */
  readonly mayRepair: boolean;
}

export interface PreflightJudgement {
  /** The host is left alone: it is switched off by its own variables, or another run is at work on it. */
  readonly leaveAlone?: FettleError;
  readonly failure?: FettleError;
  readonly needsRepair: boolean;
  readonly warnings: readonly string[];
}

const mebibyte = 1024 * 1024;
/** Room besides the downloads: unpacked packages replace others of about their size. */
const spareBytes = 64 * mebibyte;
/** A kernel with its initrd where none is there to measure. */
const usualKernelBytes = 128 * mebibyte;
/** A new one is somewhat larger, and its initrd is written beside the old one. */
const kernelMargin = 1.25;
const fewInodes = 2_000;
const maxSkewMs = 5 * 60_000;

/** Judges whether work may begin. Pure; the first failure wins, all warnings are returned. */
export function judgePreflight(input: PreflightInput): PreflightJudgement {
  const { scan, mayRepair, hostPlan, managers } = input;
  const isBroken = scan.broken.length > 0 && hostPlan.updates.length > 0;
  const leaveAlone = judgeSwitches(input) ?? judgeClaim(input);
  const failure =
    judgeManager(scan) ??
    judgeProblems(input) ??
    (isBroken && !mayRepair ? brokenBefore(scan, managers) : undefined) ??
    (hostPlan.updates.length > 0 ? judgeSpace(scan, hostPlan, managers) : undefined);
  return {
    ...(leaveAlone === undefined ? {} : { leaveAlone }),
    ...(failure === undefined ? {} : { failure }),
    needsRepair: isBroken && mayRepair,
    warnings: [
      ...skewWarning(scan),
      ...busyWarning(scan),
      ...bootWarning(input),
      ...scan.problems.map((problem) => problem.message),
    ],
  };
}

function judgeSwitches({ host, nowMs }: PreflightInput): FettleError | undefined {
  const reason = switchedOff(host.patch, nowMs);
  return reason === undefined ? undefined : new FettleError('cancelled', reason);
}

/** A job of another run works on the host: what it has half done is not ours to judge. */
function judgeClaim({ run, scan: { active } }: PreflightInput): FettleError | undefined {
  if (active === undefined || active.run.toLowerCase() === run.toLowerCase()) return undefined;
  return new FettleError('lock-held', `run ${active.run} of ${active.controller} is working on it`, {
    hint: 'resume this run when that one has ended',
    details: { run: active.run, job: active.job, controller: active.controller },
  });
}

function judgeManager(scan: HostScan): FettleError | undefined {
  if (scan.privileges.isRoot) return undefined;
  return new FettleError('elevate', `${scan.privileges.user} is not root and no elevation is set`, {
    hint: 'set ansible_become, or log in as root',
  });
}

function judgeProblems({ scan, hostPlan }: PreflightInput): FettleError | undefined {
  const blocking = scan.problems.find((problem) => problem.isBlocking === true);
  if (blocking === undefined || hostPlan.updates.length === 0) return undefined;
  return new FettleError(blocking.code === 'disk' ? 'disk' : 'command', `it cannot be patched: ${blocking.message}`, {
    hint: 'fix this on the host, then resume the run',
    details: { problem: blocking.code },
  });
}

function brokenBefore(scan: HostScan, managers: Advisers): FettleError {
  const concerned = managers.filter(({ name }) => scan.broken.some((item) => item.manager === name));
  const commands = concerned.flatMap(({ remedies }) => remedies?.repair ?? []).join('; ');
  const names = scan.broken.map((item) => item.name).join(', ');
  return new FettleError('command', `packages were already broken: ${names}`, {
    hint: `repair them on the host${commands === '' ? '' : ` (${commands})`}, then resume the run`,
    details: {
      broken: scan.broken.map((item) => `${packageLabel(item)} ${item.version} ${item.stateDetail ?? item.state}`),
    },
  });
}

/** Whether there is room for the updates; undefined when there is, or none is needed. */
export function judgeSpace(
  scan: Pick<HostScan, 'disks' | 'kernelBytes'>,
  plan: Pick<HostPlan, 'updates' | 'downloadBytes'>,
  managers: Advisers,
): FettleError | undefined {
  if (plan.updates.length === 0) return undefined;
  const commands = managers.flatMap(({ remedies }) => remedies?.clean ?? []);
  const wanted: readonly (readonly [string, number])[] = [
    ['/', spareBytes],
    ['/var', 2 * plan.downloadBytes + spareBytes],
    ['/boot', bootBytes(scan, plan)],
  ];
  for (const [path, bytes] of wanted) {
    const disk = mountOf(scan.disks, path);
    if (disk === undefined || bytes === 0) continue;
    const isShort = disk.freeBytes < bytes;
    // Some file systems have no inode table and report 0.
    const hasFewInodes = disk.freeInodes !== undefined && disk.freeInodes > 0 && disk.freeInodes < fewInodes;
    if (!isShort && !hasFewInodes) continue;
    const room = isShort ? `${inMebibytes(disk.freeBytes)} MiB free` : `${disk.freeInodes} inodes free`;
    const needed = isShort ? `${inMebibytes(bytes)} MiB` : `${fewInodes} inodes`;
    return new FettleError('disk', `not enough space on ${disk.mount}: ${room}, ${needed} needed`, {
      hint: `free disk space on the host (${[...commands, 'old kernels', 'logs'].join(', ')}), then resume the run`,
    });
  }
  return undefined;
}

/** Each new kernel with its initrd takes about what the newest one there does. Packages that only name one bring none. */
function bootBytes({ kernelBytes }: Pick<HostScan, 'kernelBytes'>, { updates }: Pick<HostPlan, 'updates'>): number {
  const kernels = updates.filter((update) => update.isKernel);
  const own = kernels.filter(({ name }) => /^linux-image-(unsigned-)?\d/.test(name));
  const count = own.length > 0 ? own.length : Math.min(1, kernels.length);
  return count * (kernelBytes === undefined ? usualKernelBytes : Math.ceil(kernelBytes * kernelMargin));
}

/** The file system that holds `path`: the longest mount point that is a parent of it. */
function mountOf(disks: readonly FileSystem[], path: string): FileSystem | undefined {
  const isParent = (mount: string): boolean => mount === '/' || mount === path || path.startsWith(`${mount}/`);
  return disks.filter((disk) => isParent(disk.mount)).toSorted((a, b) => b.mount.length - a.mount.length)[0];
}

function inMebibytes(bytes: number): number {
  return Math.round(bytes / mebibyte);
}

export function skewWarning(scan: Pick<HostScan, 'facts'>): string[] {
  const skew = scan.facts.clockSkewMs;
  if (skew === undefined || Math.abs(skew) <= maxSkewMs) return [];
  return [`${skewWords(skew)}; signed lists, certificates and tickets may appear expired or not yet valid`];
}

/** How far a host's clock is off, and what to do about it. */
export function skewWords(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return `its clock is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the controller's: check the time service of both`;
}

/** Neither its boot id, which is that of the machine below, nor the start of its PID 1 can prove a reboot. */
function bootWarning({ scan: { facts }, hostPlan }: PreflightInput): string[] {
  if (!facts.isContainer || facts.initStart !== undefined || !hostPlan.reboot.expected) return [];
  return [
    'it is a container with the boot id of its host machine and does not report when its PID 1 started: a reboot of ' +
      'it cannot be proven',
  ];
}

function busyWarning(scan: HostScan): string[] {
  if (scan.running.length === 0) return [];
  const names = scan.running.map((item) => `${item.name} (pid ${item.pid})`).join(', ');
  return [`a package manager is running: ${names}; fettle waits for its lock`];
}
