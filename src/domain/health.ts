import type { Superseded } from './drift.ts';
import { firstGlob } from './glob.ts';
import { listenerFindings, staleFindings, staleOwners } from './health-processes.ts';
import type { RebootMode } from './host.ts';
import type { Change, Outcome, UpdateResult, VerifyFinding } from './outcome.ts';
import type { HostPlan } from './plan.ts';
import type { InstallSettings, VerifySettings } from './playbook.ts';
import type { HostScan } from './scan.ts';
import type { InstalledPackage } from './update.ts';
import { findPackage, packageKey, packageLabel } from './update.ts';

export interface VerifyInput {
  readonly before: HostScan;
  readonly after: HostScan;
  readonly plan: Pick<HostPlan, 'updates' | 'removals' | 'leftOut'>;
  /** What the install read back; it names superseded and skipped updates. */
  readonly results: readonly UpdateResult[];
  readonly settings: VerifySettings;
  /** True when this run rebooted the host: then the newest kernel must be the one that runs. */
  readonly wasRebooted: boolean;
  /** Keys of planned updates left out on purpose (`on_drift: skip-package`). */
  readonly skipped?: readonly string[];
  /** What was installed instead (`on_drift: supersede`); a kernel of a new ABI has another name than the planned one. */
  readonly superseded?: readonly Superseded[];
}

/** Services that start on demand and end by themselves; their absence means nothing. */
const transientUnits = [
  'user@*.service',
  'user-runtime-dir@*.service',
  'fettle-*.service',
  'run-*.service',
  'apt-*.service',
  'unattended-upgrades-*.service',
  'dpkg-*.service',
  'man-db.service',
  'packagekit.service',
  'fwupd*.service',
  'systemd-hostnamed.service',
  'systemd-localed.service',
  'systemd-timedated.service',
  'systemd-fsck*.service',
  'systemd-tmpfiles-*.service',
  'systemd-coredump@*.service',
  'systemd-update-*.service',
];

/** Compares the host before and after with what was planned. Findings come in the order of weight, packages first. */
export function judgeVerify(input: VerifyInput): VerifyFinding[] {
  return [
    ...planFindings(input),
    ...unplannedFindings(input),
    ...brokenFindings(input),
    ...kernelFindings(input),
    ...unitFindings(input),
    ...serviceFindings(input),
    ...listenerFindings(input),
    ...staleFindings(input),
    ...conffileFindings(input),
    ...newlyOfferedFindings(input),
  ];
}

function installedByKey(scan: HostScan): ReadonlyMap<string, InstalledPackage> {
  return new Map(scan.packages.map((item) => [packageKey(item), item]));
}

function planFindings(input: VerifyInput): VerifyFinding[] {
  const installed = installedByKey(input.after);
  const results = new Map(input.results.map((result) => [packageKey(result), result]));
  const skipped = new Set(input.skipped);
  const successors = new Map(input.superseded?.map((pair) => [packageKey(pair.planned), pair.successor]));
  const findings: VerifyFinding[] = [];
  for (const update of input.plan.updates) {
    const key = packageKey(update);
    const successor = successors.get(key);
    const result = results.get(key);
    const wanted = successor?.to ?? (result?.state === 'superseded' ? result.now : update.to);
    const now = installed.get(packageKey(successor ?? update))?.version ?? null;
    if (now === wanted) continue;
    const level = skipped.has(key) ? 'warn' : 'fail';
    if (isRolledBack(input, result)) {
      const message = `${packageLabel(update)} ${update.to} was installed and is gone again: it was rolled back`;
      findings.push({ check: 'rolled-back', level, message });
      continue;
    }
    const message = `${packageLabel(update)} is ${now === null ? 'not installed' : `at ${now}`}, planned ${update.to}`;
    findings.push({ check: 'plan', level, message });
  }
  for (const removal of input.plan.removals) {
    if (!installed.has(packageKey(removal))) continue;
    findings.push({ check: 'plan', level: 'fail', message: `${packageLabel(removal)} is still there, planned to go` });
  }
  return findings;
}

/** It was installed, and after the reboot the host offers the same update again. */
function isRolledBack({ after }: VerifyInput, result: UpdateResult | undefined): boolean {
  if (result?.state !== 'installed') return false;
  return findPackage(after.updates, packageKey(result))?.to === result.to;
}

function unplannedFindings(input: VerifyInput): VerifyFinding[] {
  const { updates, removals } = input.plan;
  const successors = input.superseded?.map((pair) => pair.successor) ?? [];
  const planned = new Set([...updates, ...removals, ...input.results, ...successors].map(packageKey));
  const [before, after] = [installedByKey(input.before), installedByKey(input.after)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !planned.has(key))
    .flatMap((key): VerifyFinding[] => {
      const [was, now] = [before.get(key)?.version, after.get(key)?.version];
      if (was === now || mayDiffer(before.get(key), after.get(key))) return [];
      const message = `${labelOf(before.get(key) ?? after.get(key), key)} changed from ${was ?? 'not installed'} to ${now ?? 'not installed'} outside the plan`;
      return [{ check: 'unplanned', level: 'fail', message }];
    });
}

function labelOf(item: InstalledPackage | undefined, key: string): string {
  return item === undefined ? key : packageLabel(item);
}

/** Programs that update themselves, and updates that something newer replaces. */
function mayDiffer(was: InstalledPackage | undefined, now: InstalledPackage | undefined): boolean {
  if ((now ?? was)?.unattended === 'changes') return true;
  return was?.unattended === 'leaves' && now === undefined;
}

function brokenFindings(input: VerifyInput): VerifyFinding[] {
  const before = new Set(input.before.broken.map(packageKey));
  return input.after.broken.map((item) => ({
    check: 'broken-package',
    level: before.has(packageKey(item)) ? 'warn' : 'fail',
    message: `${packageLabel(item)} ${item.version} is not properly installed (${item.stateDetail ?? item.state})`,
  }));
}

function kernelFindings(input: VerifyInput): VerifyFinding[] {
  const { runningKernel, installedKernel } = input.after.reboot;
  if (!input.wasRebooted || installedKernel === undefined || installedKernel === runningKernel) return [];
  const message = `the host rebooted but runs kernel ${runningKernel}, installed is ${installedKernel}`;
  return [{ check: 'kernel', level: 'fail', message }];
}

function unitFindings(input: VerifyInput): VerifyFinding[] {
  const level = input.settings.failedUnits;
  if (level === 'ignore') return [];
  const before = new Set(input.before.health.failedUnits);
  return input.after.health.failedUnits
    .filter((unit) => !before.has(unit) && firstGlob(input.settings.ignore, unit) === undefined)
    .map((unit) => ({
      check: 'failed-unit',
      level: firstGlob(personalUnits, unit) === undefined ? level : 'warn',
      message: `${unit} failed; it had not before`,
    }));
}

/** The failure of a person's own service manager is no failure of the host. */
const personalUnits = ['user@*.service', 'user-runtime-dir@*.service', 'systemd-coredump@*.service'];

/** What ran before and neither runs nor failed: it ended without an error. */
function serviceFindings(input: VerifyInput): VerifyFinding[] {
  const level = input.settings.failedUnits;
  if (level === 'ignore') return [];
  const after = new Set([...input.after.health.activeServices, ...input.after.health.failedUnits]);
  const leftOut = [...transientUnits, ...input.settings.ignore];
  return input.before.health.activeServices
    .filter((unit) => !after.has(unit) && firstGlob(leftOut, unit) === undefined)
    .map((unit) => ({ check: 'service', level, message: `${unit} ran before and does not run now` }));
}

function conffileFindings(input: VerifyInput): VerifyFinding[] {
  const before = new Set(input.before.conffileLeftovers);
  return input.after.conffileLeftovers
    .filter((path) => !before.has(path))
    .map((path) => ({ check: 'conffile', level: 'warn', message: `${path} is new: merge it with the file in use` }));
}

/** Updates that could not be planned because installing others made them available: the next cumulative update behind a servicing stack. */
function newlyOfferedFindings(input: VerifyInput): VerifyFinding[] {
  if (input.before === input.after) return [];
  const { before, plan, results } = input;
  const known = new Set([...before.updates, ...plan.updates, ...plan.leftOut, ...results].map(packageKey));
  const names = input.after.updates
    .filter((update) => update.heldBack === undefined && !known.has(packageKey(update)))
    .map((update) => update.name);
  if (names.length === 0) return [];
  const shown = names.slice(0, 3).join(', ');
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return [
    { check: 'newly-offered', level: 'warn', message: `newly on offer: ${shown}${more}; plan it again for them` },
  ];
}

export interface VerdictInput {
  readonly findings: readonly VerifyFinding[];
  readonly after: Pick<HostScan, 'reboot' | 'health'>;
  readonly change: Change;
  /** Reboots of this run, each proven by a new boot id. */
  readonly reboots: number;
  /** Resolved for the host: `patch_reboot: never` has won. */
  readonly rebootMode: RebootMode;
  readonly restartServices: InstallSettings['restartServices'];
  readonly settings: Pick<VerifySettings, 'staleProcesses' | 'ignore'>;
}

/** Patched is not the end: a host is `verified` only when nothing is wrong and nothing old is still in use. */
export function verdictOf(input: VerdictInput): Outcome {
  const { change } = input;
  const failures = input.findings.filter((finding) => finding.level === 'fail');
  if (failures.length > 0) {
    const reason = listed(failures.map((finding) => finding.message));
    return { verdict: 'unhealthy', change, reason, hint: 'check the host; `fettle verify` judges it again' };
  }
  return (
    pendingReboot(input) ?? pendingRestart(input) ?? { verdict: 'verified', change, reason: verifiedReason(input) }
  );
}

function verifiedReason(input: VerdictInput): string {
  const warnings = input.findings.filter((finding) => finding.level === 'warn').map((finding) => finding.message);
  const base = input.change === 'none' ? unchangedReason(input) : 'everything planned is installed and in use';
  return warnings.length === 0 ? base : `${base}; noted: ${listed(warnings)}`;
}

function unchangedReason({ reboots }: VerdictInput): string {
  return reboots > 0 ? 'rebooted, new boot id' : 'nothing was left to do';
}

function pendingReboot(input: VerdictInput): Outcome | undefined {
  const { needed, reasons } = input.after.reboot;
  if (needed === 'no') return undefined;
  const why = reasons.length === 0 ? '' : ` (${listed(reasons)})`;
  const reason = needed === 'yes' ? `needs a reboot${why}` : `whether it needs a reboot is unknown${why}`;
  const base = { verdict: 'pending-reboot', change: input.change, reason } as const;
  const hint = 'reboot it with `fettle reboot`, or allow it in the playbook (reboot.mode)';
  return input.rebootMode === 'never' ? { ...base, hint, followsFromMode: true } : { ...base, hint };
}

function pendingRestart(input: VerdictInput): Outcome | undefined {
  const { staleProcesses, staleKnown } = input.after.health;
  if (input.settings.staleProcesses === 'ignore' || !staleKnown) return undefined;
  const owners = staleOwners(staleProcesses, input.settings);
  if (owners.length === 0) return undefined;
  const base = {
    verdict: 'pending-restart',
    change: input.change,
    reason: `still running replaced code: ${listed(owners)}`,
    hint: 'restart them, reboot the host, or set install.restart_services: stale',
  } as const;
  return input.restartServices === 'stale' ? base : { ...base, followsFromMode: true };
}

function listed(messages: readonly string[]): string {
  const shown = messages.slice(0, 3).join('; ');
  return messages.length > 3 ? `${shown}; and ${messages.length - 3} more` : shown;
}
