// What one host leaves in the record in one rollout: the events of a recorded run of `fettle apply`, in its order.
import { createHash } from 'node:crypto';
import { jobId, type JobKind } from '../../src/domain/job.ts';
import type { RunEvent, StepName } from '../../src/domain/event.ts';
import type { Outcome, UpdateResult, VerifyFinding } from '../../src/domain/outcome.ts';
import type { Update } from '../../src/domain/update.ts';
import { bootIdOf, type FleetModel, type ModelHost } from './fleet-model.ts';

export interface HostRunPorts {
  readonly fleet: FleetModel;
  readonly run: string;
  readonly week: number;
  readonly startMs: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Keeps what a job printed; gives its hash. */
  readonly keepOutput: (text: string) => string;
}

export interface TimedRunEvent {
  readonly timeMs: number;
  readonly event: RunEvent;
}

type Fate = 'verified' | 'failed' | 'unreachable' | 'unhealthy';

/** Out of a hundred hosts one fails, one cannot be reached and one is unhealthy. */
function fateOf(chance: number): Fate {
  if (chance < 0.01) return 'failed';
  if (chance < 0.02) return 'unreachable';
  return chance < 0.03 ? 'unhealthy' : 'verified';
}

/** Writes down one host's way; brings the model's host to where the run left it. */
export class HostRun {
  readonly #ports: HostRunPorts;
  readonly #host: ModelHost;
  readonly #of: { readonly run: string; readonly host: string; readonly hostId: string };
  readonly #events: TimedRunEvent[] = [];
  #nowMs: number;

  constructor(host: ModelHost, ports: HostRunPorts) {
    this.#host = host;
    this.#ports = ports;
    this.#nowMs = ports.startMs;
    this.#of = { run: ports.run, host: host.name, hostId: host.name };
  }

  events(wave: number): readonly TimedRunEvent[] {
    const { random } = this.#ports;
    const fate = fateOf(random());
    this.#add({ type: 'host.started', ...this.#of, attempt: 1, wave });
    if (fate === 'unreachable') this.#cannotConnect();
    else this.#patch(fate, wave);
    return this.#events;
  }

  #patch(fate: Fate, wave: number): void {
    const { fleet, week } = this.#ports;
    const updates = fleet.updates(this.#host, week).filter((update) => update.heldBack === undefined);
    this.#check();
    this.#job('refresh', 'refresh', { text: 'Hit:1 http://mirror bookworm InRelease\nReading package lists...\n' });
    // Every host but those of the first wave is scanned again when its turn comes.
    if (wave > 0) this.#check();
    if (this.#host.hasHooks) this.#localHook('before_host', 'drain');
    if (fate === 'failed') return this.#failInstall(updates);
    this.#install(updates);
    if (this.#ports.fleet.scan(this.#host, week, this.#nowMs).reboot.needed === 'yes') this.#reboot();
    this.#verify(fate);
    if (this.#host.hasHooks) this.#localHook('after_host', 'undrain');
    this.#finish(outcomes[fate]);
  }

  #check(): void {
    this.#step('connect');
    const step = { ...this.#of, attempt: 1, step: 'preflight' } as const;
    this.#add({ type: 'step.started', ...step });
    this.#scan('before');
    this.#add({ type: 'step.finished', ...step, ok: true });
  }

  #cannotConnect(): void {
    const step = { ...this.#of, attempt: 1, step: 'connect' } as const;
    const message = `${this.#host.name}: no connection to 10.0.0.1:22 within 10 s`;
    this.#add({ type: 'step.started', ...step });
    this.#add({ type: 'step.finished', ...step, ok: false, message, error: { code: 'connect', message } });
    this.#finish({ ...outcomes.unreachable, error: { code: 'connect', message } });
  }

  #install(updates: readonly Update[]): void {
    const results = updates.map((update) => resultOf(update, 'installed'));
    this.#job('install', 'install', { text: installLog(updates, this.#ports.random), results });
    this.#host.level = this.#ports.week;
    this.#scan('after');
  }

  #failInstall(updates: readonly Update[]): void {
    const results = updates.map((update) => resultOf(update, 'not-installed'));
    const text = `${installLog(updates.slice(0, 1), this.#ports.random)}dpkg: error processing package\n`;
    this.#job('install', 'install', { text, results, message: 'dpkg returned an error code (1)' });
    this.#scan('after');
    if (this.#host.hasHooks) this.#localHook('after_host', 'undrain');
    this.#finish(outcomes.failed);
  }

  #reboot(): void {
    const host = this.#host;
    if (host.hasHooks) this.#job('before_reboot', 'hook', { text: '', name: 'calm' });
    const bootIdBefore = bootIdOf(host);
    const { reasons } = this.#ports.fleet.scan(host, this.#ports.week, this.#nowMs).reboot;
    const step = { ...this.#of, attempt: 1, step: 'reboot', job: this.#jobId('reboot-1') } as const;
    this.#add({ type: 'step.started', ...step, jobKind: 'reboot', bootIdBefore });
    host.boots += 1;
    host.kernel = Math.floor(host.level / 4);
    const bootIdAfter = bootIdOf(host);
    this.#nowMs += 40_000;
    this.#add({ type: 'host.rebooted', ...this.#of, bootIdBefore, bootIdAfter, reasons, downMs: 38_519 });
    this.#add({ type: 'step.finished', ...step, ok: true });
    this.#scan('after');
  }

  #verify(fate: Fate): void {
    const step = { ...this.#of, attempt: 1, step: 'verify' } as const;
    const findings: VerifyFinding[] =
      fate === 'unhealthy'
        ? [{ check: 'failed-unit', level: 'fail', message: 'service-3.service failed' }]
        : this.#ports.random() < 0.1
          ? [{ check: 'listener', level: 'warn', message: 'tcp 0.0.0.0:9003 service-3 came back after 12 s' }]
          : [];
    this.#add({ type: 'step.started', ...step });
    this.#add({ type: 'host.verified', ...this.#of, findings });
    const { reason } = outcomes[fate];
    this.#add({ type: 'step.finished', ...step, ok: fate === 'verified', message: reason });
  }

  #step(step: StepName): void {
    this.#add({ type: 'step.started', ...this.#of, attempt: 1, step });
    this.#add({ type: 'step.finished', ...this.#of, attempt: 1, step, ok: true });
  }

  #localHook(step: StepName, name: string): void {
    const named = { ...this.#of, attempt: 1, step, name } as const;
    this.#add({ type: 'step.started', ...named });
    const outputSha256 = this.#ports.keepOutput(`${this.#host.name} ${name}ed\n`);
    this.#add({ type: 'step.finished', ...named, ok: true, exitCode: 0, outputSha256 });
  }

  #job(
    step: StepName,
    jobKind: JobKind,
    {
      text,
      name,
      results,
      message,
    }: { text: string; name?: string; results?: readonly UpdateResult[]; message?: string },
  ): void {
    const job = this.#jobId(step);
    const named = { ...this.#of, attempt: 1, step, job, ...(name === undefined ? {} : { name }) } as const;
    this.#add({ type: 'step.started', ...named, jobKind });
    this.#nowMs += 20_000;
    const kept = text === '' ? {} : { outputSha256: this.#ports.keepOutput(text) };
    if (results !== undefined) this.#add({ type: 'update.finished', ...this.#of, attempt: 1, results });
    const isOk = message === undefined;
    this.#add({
      type: 'step.finished',
      ...named,
      ok: isOk,
      exitCode: isOk ? 0 : 100,
      ...(isOk ? {} : { message }),
      ...kept,
    });
  }

  #jobId(part: string): string {
    return jobId(this.#ports.run, createHash('sha256').update(this.#host.name).digest('hex'), part, 1);
  }

  #scan(purpose: 'before' | 'after'): void {
    this.#nowMs += 1_200;
    const scan = this.#ports.fleet.scan(this.#host, this.#ports.week, this.#nowMs);
    this.#add({ type: 'host.scanned', ...this.#of, purpose, scan });
  }

  #finish(outcome: Outcome): void {
    this.#add({ type: 'host.finished', ...this.#of, attempt: 1, outcome });
  }

  #add(event: RunEvent): void {
    this.#nowMs += 15;
    this.#events.push({ timeMs: this.#nowMs, event });
  }
}

const outcomes: Readonly<Record<Fate, Outcome>> = {
  verified: { verdict: 'verified', change: 'installed', reason: 'everything planned is installed and in use' },
  failed: {
    verdict: 'failed',
    change: 'none',
    reason: 'dpkg returned an error code (1)',
    hint: 'repair it, then resume',
  },
  unreachable: { verdict: 'unreachable', change: 'none', reason: 'no connection to 10.0.0.1:22 within 10 s' },
  unhealthy: { verdict: 'unhealthy', change: 'installed', reason: 'service-3.service failed' },
};

function resultOf(update: Update, state: 'installed' | 'not-installed'): UpdateResult {
  const { manager, name, arch, from, to } = update;
  return { manager, name, arch, from, to, now: state === 'installed' ? to : from, state };
}

/** apt's words; the speed of the download makes each log one of its kind. */
function installLog(updates: readonly Update[], random: () => number): string {
  const fetched = `Fetched ${updates.length * 412} kB in ${Math.ceil(random() * 9)}s (${Math.floor(random() * 90_000)} kB/s)`;
  const lines = updates.flatMap(({ name, arch, from, to }) => [
    `Preparing to unpack .../${name}_${to}_${arch}.deb ...`,
    `Unpacking ${name} (${to}) over (${from}) ...`,
    `Setting up ${name} (${to}) ...`,
  ]);
  return ['Reading package lists...', 'Building dependency tree...', fetched, ...lines, ''].join('\n');
}
