import { judgeVerify, verdictOf } from '../../domain/health.ts';
import type { Outcome, VerifyFinding } from '../../domain/outcome.ts';
import type { HostScan } from '../../domain/scan.ts';
import { ofHost } from '../context.ts';
import { inStep, scanNow } from './host-state.ts';
import type { HostWork } from './host-state.ts';
import { rebootMode } from './reboot-stage.ts';
import { rebootReasons } from './reboot.ts';

/**
 * Scans the host until it has settled or the tries are over, and judges it against the plan and against what ran
 * before. Always an outcome: patched is not the end.
 */
export async function verify(work: HostWork): Promise<Outcome> {
  if (work.failure !== undefined) return work.failure;
  const { attempt: _attempt, ...host } = ofHost(work.context);
  const { outcome } = await inStep(
    work.context,
    'verify',
    () => judgeUntilSettled(work),
    ({ findings, outcome: { reason } }) => ({
      ok: !findings.some((finding) => finding.level === 'fail'),
      message: reason,
      events: [{ type: 'host.verified', ...host, findings }],
    }),
  );
  return outcome;
}

interface Judged {
  readonly outcome: Outcome;
  readonly findings: readonly VerifyFinding[];
}

async function judgeUntilSettled(work: HostWork): Promise<Judged> {
  const { clock, detach } = work.context;
  const { retries, retryDelayMs } = work.plan.verify;
  // The last scan of a host also shows what is pending, for the reports.
  const latest = work.current?.isStateOnly === true ? undefined : work.current;
  let after = latest ?? (await scanNow(work, 'after'));
  let findings = judge(work, after);
  for (let left = retries; left > 0 && findings.some((finding) => finding.level === 'fail'); left -= 1) {
    await clock.sleep(retryDelayMs, detach);
    after = await scanNow(work, 'after');
    findings = judge(work, after);
  }
  return { outcome: conclude(work, after, findings), findings };
}

function judge(work: HostWork, after: HostScan): readonly VerifyFinding[] {
  const findings = judgeVerify({
    before: work.before ?? after,
    after,
    plan: work.hostPlan,
    results: work.results,
    settings: work.plan.verify,
    wasRebooted: work.reboots > 0 && !after.facts.isContainer,
    skipped: work.skipped,
    superseded: work.superseded,
  });
  if (work.before !== undefined) return findings;
  const message = 'there is no scan from before the install: services and listeners were not compared';
  return [...findings, { check: 'unplanned', level: 'warn', message }];
}

function conclude(work: HostWork, after: HostScan, findings: readonly VerifyFinding[]): Outcome {
  const outcome = verdictOf({
    findings,
    after: { health: after.health, reboot: { ...after.reboot, ...rebootReasons(after) } },
    change: work.change,
    reboots: work.reboots,
    rebootMode: rebootMode(work),
    restartServices: work.plan.install.restartServices,
    settings: work.plan.verify,
  });
  if (work.inUse !== undefined) return leftAlone(outcome, work.inUse);
  if (outcome.verdict !== 'pending-reboot' || !work.isController) return outcome;
  return {
    ...outcome,
    hint: 'fettle runs on it: reboot it by hand when its runs have ended, then run `fettle verify`',
  };
}

/** It was to be left alone while somebody is logged on: what it waits for is no failure, but is reported. */
function leftAlone(outcome: Outcome, inUse: string): Outcome {
  const reason = `${outcome.reason}; not rebooted: ${inUse}`;
  if (outcome.verdict === 'pending-reboot')
    return { ...outcome, reason, hint: 'reboot it when the users have logged off' };
  if (outcome.verdict !== 'verified') return outcome;
  return { ...outcome, reason, ...(outcome.change === 'none' ? { verdict: 'skipped' } : {}) };
}
