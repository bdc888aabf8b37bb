import { FettleError } from '../../src/domain/error.ts';
import type { Host } from '../../src/domain/host.ts';
import type { JobPhase, JobResult, JobStatus } from '../../src/domain/job.ts';
import type { HostSummary, HostScan } from '../../src/domain/scan.ts';
import type { Simulation, Standing } from '../../src/domain/simulation.ts';
import { packageKey, packageLabel } from '../../src/domain/update.ts';
import type {
  BootState,
  HostPort,
  RunCommandResult,
  ScanOptions,
  SimulateRequest,
} from '../../src/engine/connection/host-port.ts';
import type { FollowOptions, JobNews, StartOptions } from '../../src/remote/jobs.ts';

interface FakeJob {
  readonly start: StartOptions;
  phase: JobPhase;
  log: string;
  result: JobResult | undefined;
  /** Questions for news that are answered `running` before the job is at its end. */
  ticks: number;
}

export type FakeAction = (machine: FakeMachine, start: StartOptions) => Partial<JobResult> | 'crash';

const okResult: JobResult = { exitCode: 0, verdict: 'ok', sections: {} };

/** A machine with packages, jobs and a boot id: what is true on a host whoever looks at it. */
export class FakeMachine {
  readonly name: string;
  readonly packages = new Map<string, string>();
  readonly available = new Map<string, string>();
  /** Further versions on offer, newest first. */
  readonly older = new Map<string, readonly string[]>();
  /** Stands for what a simulation would find. */
  simulated: Partial<Simulation> = {};
  readonly broken = new Set<string>();
  readonly jobs = new Map<string, FakeJob>();
  /** Each job that really ran, once a run of its script. */
  readonly ran: { readonly kind: string; readonly job: string }[] = [];
  readonly actions: Record<string, FakeAction> = {};
  scanOverrides: Partial<HostScan> = {};
  bootId: string;
  boots = 1;
  needsReboot = false;
  /** Looks at a rebooting machine: first up, then down, then up again. Empty = not rebooting. */
  lookScript: ('up' | 'down' | 'back')[] = [];
  rebootScript: ('up' | 'down' | 'back')[] = ['up', 'down', 'down', 'back'];
  /** Every call fails with this while it is set. */
  unreachable: FettleError | undefined;
  /** Where a connection to it ends and which key it proves there, whatever it says of itself. */
  endpoint: string;
  /** What its root can read. */
  readonly files = new Map<string, string>();
  jobTicks = 1;
  /** The controller's clock at a scan, epoch ms. */
  now = (): number => 0;
  collected = 0;

  constructor(name: string) {
    this.name = name;
    this.bootId = `${name}-boot-1`;
    this.endpoint = `${name}:22 key-of-${name}`;
  }

  /** The run whose job is at work on the machine. */
  claimedBy: string | undefined;

  start(start: StartOptions): JobStatus {
    const known = this.jobs.get(start.job);
    if (this.claimedBy !== undefined && known === undefined) {
      throw new FettleError('lock-held', `run ${this.claimedBy} has ${this.name}`);
    }
    if (known === undefined) {
      this.jobs.set(start.job, { start, phase: 'running', log: '', result: undefined, ticks: this.jobTicks });
      this.#run(start);
    } else if (known.phase === 'claimed') {
      known.phase = 'running';
      this.#run(known.start);
    }
    return this.#status(start.job);
  }

  follow(job: string, offset: number): JobNews {
    const known = this.jobs.get(job);
    if (known === undefined) return { status: { phase: 'absent', logBytes: 0 }, log: Buffer.alloc(0), offset };
    if (known.phase === 'running') {
      known.ticks -= 1;
      if (known.ticks < 0) known.phase = known.result === undefined ? 'crashed' : 'done';
    }
    const log = Buffer.from(known.log).subarray(offset);
    const result = known.phase === 'done' && known.result !== undefined ? { result: known.result } : {};
    return { status: this.#status(job), log, offset: offset + log.length, ...result };
  }

  collect(job: string): void {
    const known = this.jobs.get(job);
    if (known === undefined) return;
    known.phase = 'collected';
    this.collected += 1;
  }

  /** Jobs of the run that are over, all at once. */
  sweep(run: string): void {
    for (const [job, { start, phase }] of this.jobs)
      if (start.run === run && ['done', 'crashed', 'interrupted'].includes(phase)) this.collect(job);
  }

  look(): BootState {
    const next = this.lookScript.shift();
    if (next === 'down') throw new FettleError('connect', `${this.name} does not answer`);
    if (next === 'back') this.#boot();
    return { bootId: this.bootId, isSettled: true };
  }

  scan(isStateOnly = false): HostScan {
    const packages = [...this.packages].map(([name, version]) => fakePackage(name, version, this.broken.has(name)));
    return {
      collectedMs: this.now(),
      managers: ['apt'],
      facts: {
        hostName: this.name,
        machineId: `${this.name}-machine`,
        bootId: this.bootId,
        family: 'debian',
        osId: 'debian',
        osVersion: '12',
        osName: 'Debian 12',
        kernel: '6.1',
        arch: 'amd64',
        init: 'systemd',
        isContainer: false,
      },
      privileges: { user: 'root', isRoot: true },
      packages,
      autoInstalled: [],
      updates: [],
      securityKnown: true,
      metadata: { repositories: [], isStale: false },
      reboot: {
        needed: this.needsReboot ? 'yes' : 'no',
        reasons: this.needsReboot ? ['new kernel'] : [],
        runningKernel: '6.1',
      },
      health: { failedUnits: [], activeServices: [], listeners: [], staleProcesses: [], staleKnown: true },
      disks: [],
      running: [],
      broken: packages.filter((item) => this.broken.has(item.name)),
      conffileLeftovers: [],
      problems: [],
      ...this.scanOverrides,
      ...(isStateOnly ? { isStateOnly, updates: [], metadata: { repositories: [], isStale: false } } : {}),
    };
  }

  /** As apt's: what is asked about, and kernels that are there or on offer, since one supersedes another. */
  simulate({ updates }: SimulateRequest): Simulation {
    const kernels = [...this.packages.keys(), ...this.available.keys()].filter((name) => /^linux-.*-\d/.test(name));
    const installed: Record<string, Standing | null> = {};
    const available: Record<string, { version: string; origins: string[] }[]> = {};
    const ofKernels = kernels.map((name) => ({ manager: 'apt', name, arch: 'amd64' }));
    for (const { manager, name, arch } of [...updates, ...ofKernels]) {
      const version = this.packages.get(name);
      const state = this.broken.has(name) ? 'broken' : 'installed';
      if (version !== undefined) installed[packageKey({ manager, name, arch })] = { version, state };
      available[packageLabel({ name, arch })] = this.#offersOf(name).map((offered) => ({
        version: offered,
        origins: ['Debian'],
      }));
    }
    const installs = updates
      .filter(
        (update) => this.packages.get(update.name) !== update.to && this.#offersOf(update.name).includes(update.to),
      )
      .map(({ manager, name, arch, to }) => ({
        manager,
        name,
        arch,
        from: this.packages.get(name) ?? null,
        to,
        origins: ['Debian'],
      }));
    return { installs, removes: [], downloadBytes: 0, errors: [], installed, available, ...this.simulated };
  }

  /** Another one for another state of what a simulation depends on. */
  fingerprint(): string | undefined {
    const { bootId, packages, available, older, simulated, broken } = this;
    return JSON.stringify([bootId, ...[packages, available, older, broken].map((all) => [...all]), simulated]);
  }

  /** Newest first. */
  #offersOf(name: string): readonly string[] {
    const newest = this.available.get(name);
    return [...(newest === undefined ? [] : [newest]), ...(this.older.get(name) ?? [])];
  }

  /** Lines of dpkg-query -W as the job prints them. */
  installedList(): string {
    const lines = [...this.packages].map(([name, version]) => {
      const status = this.broken.has(name) ? 'iF ' : 'ii ';
      return [name, 'amd64', version, status, name, version].join('\t');
    });
    return `${lines.join('\n')}\n`;
  }

  #status(job: string): JobStatus {
    const known = this.jobs.get(job);
    if (known === undefined) return { phase: 'absent', logBytes: 0 };
    return { phase: known.phase, logBytes: Buffer.byteLength(known.log), bootId: this.bootId };
  }

  #run(start: StartOptions): void {
    const { kind, job } = start;
    this.ran.push({ kind, job });
    const known = this.jobs.get(job);
    if (known === undefined) return;
    const action = this.actions[kind] ?? defaultActions[kind] ?? (() => ({}));
    const end = action(this, start);
    known.log = `${kind} ran\n`;
    // As the job reads it back, whatever came before.
    const sections = { 'apt-installed': this.installedList() };
    known.result = end === 'crash' ? undefined : { ...okResult, sections, ...end };
  }

  #boot(): void {
    this.boots += 1;
    this.bootId = `${this.name}-boot-${this.boots}`;
    this.needsReboot = false;
    for (const job of this.jobs.values()) if (job.phase === 'running' && job.ticks >= 0) job.phase = 'interrupted';
  }
}

function fakePackage(name: string, version: string, isBroken: boolean): HostScan['packages'][number] {
  const state = isBroken ? 'broken' : 'installed';
  return { manager: 'apt', name, arch: 'amd64', version, state, source: name, sourceVersion: version };
}

const defaultActions: Readonly<Record<string, FakeAction>> = {
  install: (machine, { request }) => {
    for (const [name = '', , to = ''] of request.rows ?? []) machine.packages.set(name, to);
    return {};
  },
  reboot: (machine) => {
    machine.lookScript = [...machine.rebootScript];
    return {};
  },
};

/** Called around every effect of one controller process; throwing there is its death. */
export type Gate = (point: string) => void;

/** One controller's connection to one machine. */
export class FakeRemote implements HostPort {
  readonly host: Host;
  readonly #machine: FakeMachine;
  readonly #gate: Gate;
  onDispose: () => void = () => undefined;

  constructor(host: Host, machine: FakeMachine, gate: Gate = () => undefined) {
    this.host = host;
    this.#machine = machine;
    this.#gate = gate;
  }

  endpoint(): Promise<string> {
    return Promise.resolve(this.#machine.endpoint);
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#call('connect', signal, () => undefined);
  }

  async scan({ signal, beforeReading, isStateOnly = false }: ScanOptions): Promise<HostScan> {
    const scan = await this.#call('scan', signal, () => this.#machine.scan(isStateOnly));
    await beforeReading?.();
    return scan;
  }

  summary(signal: AbortSignal): Promise<HostSummary> {
    return this.#call('summary', signal, () => this.#machine.scan());
  }

  simulate(request: SimulateRequest, signal: AbortSignal): Promise<Simulation> {
    return this.#call('simulate', signal, () => {
      const fingerprint = this.#machine.fingerprint();
      return { ...this.#machine.simulate(request), ...(fingerprint === undefined ? {} : { fingerprint }) };
    });
  }

  fingerprint(signal: AbortSignal): Promise<string | undefined> {
    return this.#call('fingerprint', signal, () => this.#machine.fingerprint());
  }

  bootState(signal: AbortSignal): Promise<BootState> {
    return this.#call('bootState', signal, () => this.#machine.look());
  }

  startJob(start: StartOptions, signal: AbortSignal): Promise<JobStatus> {
    return this.#call(`startJob ${start.kind}`, signal, () => this.#machine.start(start));
  }

  followJob(job: string, offset: number, { signal }: FollowOptions): Promise<JobNews> {
    return this.#call('followJob', signal, () => this.#machine.follow(job, offset));
  }

  sweepRun(run: string, signal: AbortSignal): Promise<void> {
    return this.#call('sweepRun', signal, () => this.#machine.sweep(run));
  }

  collectJob(job: string, signal: AbortSignal): Promise<void> {
    return this.#call('collectJob', signal, () => this.#machine.collect(job));
  }

  /** Knows one command besides its own name: `cat -- FILE`. */
  exec(text: string, { signal }: { readonly signal: AbortSignal }): Promise<RunCommandResult> {
    const end = { stderr: Buffer.alloc(0), truncatedBytes: 0 };
    const path = /^cat -- (\S+)$/.exec(text)?.[1];
    const content = path === undefined ? this.#machine.name : this.#machine.files.get(path);
    return this.#call('exec', signal, () => ({
      ...end,
      exitCode: content === undefined ? 1 : 0,
      stdout: Buffer.from(content ?? ''),
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.onDispose();
    return Promise.resolve();
  }

  async #call<T>(point: string, signal: AbortSignal | undefined, action: () => T): Promise<T> {
    this.#gate(`before ${point}`);
    signal?.throwIfAborted();
    await Promise.resolve();
    if (this.#machine.unreachable !== undefined) throw this.#machine.unreachable;
    const value = action();
    this.#gate(`after ${point}`);
    return value;
  }
}
