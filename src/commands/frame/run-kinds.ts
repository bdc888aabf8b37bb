// A run that was given to a command that does not apply to it.
import { FettleError } from '../../domain/error.ts';
import type { RunKind } from '../../domain/event.ts';
import type { RunRow } from '../../domain/report.ts';

const nouns: Readonly<Record<RunKind, string>> = {
  scan: 'a scan',
  plan: 'a planning run',
  apply: 'a rollout',
  reboot: 'a reboot',
  shutdown: 'a shutdown',
  verify: 'a verification',
  exec: 'a command on hosts',
  ping: 'a ping',
  wake: 'a wake-up',
};

const fits: Readonly<Record<RunKind, string>> = {
  scan: 'scan again with: fettle scan',
  plan: 'apply a plan with: fettle apply plan.json',
  apply: 'resume it with: fettle run resume',
  reboot: 'resume it with: fettle run resume',
  shutdown: 'check which hosts are up with: fettle ping',
  verify: 'verify again with: fettle verify',
  exec: 'run the command again with: fettle exec',
  ping: 'ping again with: fettle ping',
  wake: 'wake hosts again with: fettle wake',
};

/** `usage`: what the run was, why the command does not apply, and which one does. `why` follows "it". */
export function wrongKind({ run, kind, planSha256 }: RunRow, why: string): FettleError {
  const noun = kind === 'shutdown' && planSha256 === undefined ? 'a cancellation of shutdowns' : nouns[kind];
  return new FettleError('usage', `run ${run} was ${noun}: it ${why}`, {
    hint: `${fits[kind]}; show it with: fettle run show ${run}`,
  });
}

/** True for a run that only queries hosts: it leases none, and cannot be stopped by a request. */
export function isQuery({ planSha256 }: RunRow): boolean {
  return planSha256 === undefined;
}
