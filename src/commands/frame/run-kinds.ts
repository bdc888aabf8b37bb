// A run that was named to a command which does not fit it.
import { FettleError } from '../../domain/error.ts';
import type { RunKind } from '../../domain/event.ts';
import type { RunRow } from '../../domain/report.ts';

const nouns: Readonly<Record<RunKind, string>> = {
  scan: 'a scan',
  plan: 'the making of a plan',
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
  plan: 'carry a plan out with: fettle apply plan.json',
  apply: 'go on with it: fettle run resume',
  reboot: 'go on with it: fettle run resume',
  shutdown: 'see which hosts are up with: fettle ping',
  verify: 'verify again with: fettle verify',
  exec: 'run the command again with: fettle exec',
  ping: 'ping again with: fettle ping',
  wake: 'wake hosts again with: fettle wake',
};

/** `usage`: what the run was, why the command does not fit, and what does. `why` follows "it". */
export function wrongKind({ run, kind, planSha256 }: RunRow, why: string): FettleError {
  const noun = kind === 'shutdown' && planSha256 === undefined ? 'the calling off of shutdowns' : nouns[kind];
  return new FettleError('usage', `run ${run} was ${noun}: it ${why}`, {
    hint: `${fits[kind]}; see it with: fettle run show ${run}`,
  });
}

/** True for a run that only asks hosts: it holds none, and takes no request to stop. */
export function isQuery({ planSha256 }: RunRow): boolean {
  return planSha256 === undefined;
}
