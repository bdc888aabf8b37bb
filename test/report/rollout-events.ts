// A rollout as the engine tells it: two waves, one host that fails, one that is lost, output meant to do harm.
import type { LiveEvent, RunEvent } from '../../src/domain/event.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { nasty } from './fake-output.ts';

export type AnyEvent = RunEvent | LiveEvent;

const run = '01JRUN';
const operator = { user: 'ada', controller: 'jump', pid: 7 } as const;

const verified: Outcome = {
  verdict: 'verified',
  change: 'installed',
  reason: 'everything planned is installed and in use',
};

function of(host: string): { run: string; host: string; hostId: string; attempt: number } {
  return { run, host, hostId: host, attempt: 1 };
}

function oneHost(host: string, outcome: Outcome, wave: number): AnyEvent[] {
  return [
    { type: 'host.started', ...of(host), wave },
    { type: 'step.started', ...of(host), step: 'preflight' },
    { type: 'step.finished', ...of(host), step: 'preflight', ok: true },
    { type: 'step.started', ...of(host), step: 'install', job: 'j', jobKind: 'install' },
    { type: 'live.note', host, note: 'waiting for lock (pid 12 apt-get)' },
    { type: 'live.output', host, stream: 'log', text: 'Unpacking openssl ...\nSetting up open' },
    { type: 'live.output', host, stream: 'log', text: 'ssl ...\n' },
    { type: 'step.finished', ...of(host), step: 'install', ok: outcome.verdict === 'verified', exitCode: 100 },
    { type: 'host.finished', ...of(host), outcome },
  ];
}

export const opening: AnyEvent[] = [
  {
    type: 'run.started',
    run,
    kind: 'apply',
    operator,
    fettleVersion: '0.1.0',
    argv: ['apply', 'plan.json'],
    hosts: ['web01', 'web02', 'web03', 'db-a', 'db-b'],
    playbook: 'monthly',
    planSha256: '3f2a9c'.padEnd(64, '0'),
  },
  { type: 'live.budget', spent: 0, allowed: 1 },
  { type: 'wave.started', run, wave: 0, name: 'first', hosts: ['web01'] },
];

export const middle: AnyEvent[] = [
  { type: 'wave.finished', run, wave: 0, name: 'first' },
  { type: 'wave.started', run, wave: 1, name: 'rest', hosts: ['web02', 'web03', 'db-a', 'db-b'] },
  { type: 'host.started', ...of('web02'), wave: 1 },
  { type: 'step.started', ...of('web02'), step: 'install', job: 'j', jobKind: 'install' },
  { type: 'live.output', host: 'web02', stream: 'log', text: `${nasty}\n` },
  { type: 'note', run, host: 'web02', level: 'warn', message: `conffile ${nasty}` },
  { type: 'host.started', ...of('web03'), wave: 1 },
  { type: 'step.started', ...of('web03'), step: 'reboot', job: 'r', jobKind: 'reboot', bootIdBefore: 'b1' },
];

const failure: Outcome = {
  verdict: 'failed',
  change: 'partial',
  reason: `dpkg: error processing nginx on db-a: ${nasty}`,
  hint: 'repair the packages on the host, then resume the run',
};

const ending: AnyEvent[] = [
  { type: 'host.rebooted', ...of('web03'), bootIdBefore: 'b1', bootIdAfter: 'b2', reasons: ['kernel'], downMs: 41_000 },
  { type: 'step.finished', ...of('web03'), step: 'reboot', ok: true },
  { type: 'host.finished', ...of('web03'), outcome: verified },
  {
    type: 'step.finished',
    ...of('web02'),
    step: 'install',
    ok: false,
    error: { code: 'lost', message: 'web02 has not answered for 15m00s' },
  },
  {
    type: 'host.finished',
    ...of('web02'),
    outcome: {
      verdict: 'lost',
      change: 'unknown',
      reason: 'the connection to web02 was lost during install (boot id b7)',
    },
  },
  ...oneHost('db-a', failure, 1),
  { type: 'live.budget', spent: 2, allowed: 1 },
  { type: 'run.stopping', run, cause: 'budget', message: 'the budget of the run is spent: 2 failed; 1 allowed' },
  {
    type: 'run.finished',
    run,
    exitCode: 7,
    exitName: 'stopped',
    reasons: ['the budget of the run is spent: 2 failed; 1 allowed'],
    counts: { verified: 2, lost: 1, failed: 1, pending: 1 },
  },
];

/** Everything, in order. */
export const rollout: AnyEvent[] = [...opening, ...oneHost('web01', verified, 0), ...middle, ...ending];

export { oneHost, verified };
