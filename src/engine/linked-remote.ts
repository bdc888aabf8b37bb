import type { Clock } from '../base/clock.ts';
import { FettleError } from '../domain/error.ts';
import type { Host } from '../domain/host.ts';
import type { JobId, JobStatus } from '../domain/job.ts';
import type { HostScan } from '../domain/scan.ts';
import type { Simulation } from '../domain/simulation.ts';
import type { Manager } from '../managers/manager.ts';
import { parseFrame } from '../remote/frame.ts';
import { collectJob, followJob, startJob, sweepJobs } from '../remote/jobs.ts';
import { launcher, runScript } from '../remote/launch.ts';
import { probeScript } from '../remote/scripts.ts';
import type {
  BootState,
  ExecOptions,
  FollowOptions,
  HostRemote,
  JobFollow,
  JobStart,
  RunCommandResult,
  SimulateRequest,
} from './host-remote.ts';
import type { HostLink } from './link.ts';

export interface LinkedRemotePorts {
  readonly manager: (name: string) => Manager;
  readonly clock: Clock;
}

const scanTimeoutMs = 5 * 60_000;
const startTimeoutMs = 2 * 60_000;
const bootTimeoutMs = 20_000;
/** Besides what a question for news waits on the host by itself. */
const followSpareMs = 60_000;
const bootIdPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Does to a host what the engine asks for, by the scripts of `remote/` over the host's one link. */
export class LinkedRemote implements HostRemote {
  readonly host: Host;
  readonly #link: HostLink;
  readonly #ports: LinkedRemotePorts;
  #hasSwept = false;

  constructor(link: HostLink, ports: LinkedRemotePorts) {
    this.host = link.host;
    this.#link = link;
    this.#ports = ports;
  }

  /** The elevation is tried by the smallest script there is. */
  async connect(signal: AbortSignal): Promise<void> {
    const session = await this.#link.elevated(signal);
    await runScript(session, probeScript(), { verb: 'boot' }, { signal, timeoutMs: startTimeoutMs });
  }

  async scan({ maxAgeMs, signal }: { readonly maxAgeMs: number; readonly signal: AbortSignal }): Promise<HostScan> {
    const session = await this.#link.elevated(signal);
    const { stdout } = await runScript(session, probeScript(), { verb: 'probe' }, { signal, timeoutMs: scanTimeoutMs });
    const sections = parseFrame(stdout);
    const name = sections.get('manager')?.trim() ?? '';
    if (name === '' || name === 'none') throw noManager(this.host);
    return this.#ports.manager(name).parseScan(sections, this.#ports.clock.now(), maxAgeMs);
  }

  async simulate({ manager: name, updates }: SimulateRequest, signal: AbortSignal): Promise<Simulation> {
    const manager = this.#ports.manager(name);
    const session = await this.#link.elevated(signal);
    const request = manager.simulateRequest(updates);
    const { stdout } = await runScript(session, probeScript(), request, { signal, timeoutMs: scanTimeoutMs });
    return manager.parseSimulation(parseFrame(stdout));
  }

  /** Without elevation: a boot id is everybody's to read, and a starting system may not let anybody be root yet. */
  async bootState(signal: AbortSignal): Promise<BootState> {
    const session = await this.#link.plain(signal);
    const { stdout } = await runScript(session, probeScript(), { verb: 'boot' }, { signal, timeoutMs: bootTimeoutMs });
    const sections = parseFrame(stdout);
    const bootId = sections.get('boot-id')?.trim() ?? '';
    const state = sections.get('system-state')?.trim() ?? '';
    const isSettled = !['initializing', 'starting', 'stopping', 'offline'].includes(state);
    return bootIdPattern.test(bootId) ? { bootId, isSettled } : { isSettled: false };
  }

  async startJob(start: JobStart, signal: AbortSignal): Promise<JobStatus> {
    const session = await this.#link.elevated(signal);
    const status = await startJob(session, start, { signal, timeoutMs: startTimeoutMs });
    if (!this.#hasSwept) {
      this.#hasSwept = true;
      // What others left behind is no business of this job's.
      await sweepJobs(session, start.run, { signal, timeoutMs: startTimeoutMs }).catch(() => undefined);
    }
    return status;
  }

  async followJob(job: JobId, offset: number, options: FollowOptions): Promise<JobFollow> {
    const limit = AbortSignal.timeout(options.waitSec * 1000 + followSpareMs);
    const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
    const session = await this.#link.elevated(options.signal);
    try {
      return await followJob(session, job, offset, { ...options, signal });
    } catch (error) {
      if (!limit.aborted || options.signal?.aborted === true) throw error;
      await this.#link.drop();
      throw new FettleError('lost', `${this.host.name}: no answer about the job in time`, { cause: error });
    }
  }

  async collectJob(job: JobId, signal: AbortSignal): Promise<void> {
    await collectJob(await this.#link.elevated(signal), job, { signal, timeoutMs: startTimeoutMs });
  }

  async exec(text: string, options: ExecOptions): Promise<RunCommandResult> {
    const { signal, timeoutMs, outputLimitBytes, onOutput } = options;
    const session = await this.#link.elevated(signal);
    const ended = await session.exec({
      command: launcher,
      // The empty first line stands where the request of a script would.
      stdin: `\n${text}\n`,
      signal,
      outputLimitBytes,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      onStdout: (chunk) => onOutput?.('stdout', chunk),
      onStderr: (chunk) => onOutput?.('stderr', chunk),
    });
    const { exitCode, stdout, stderr } = ended;
    const truncatedBytes = ended.stdoutTruncatedBytes + ended.stderrTruncatedBytes;
    return { exitCode, stdout, stderr, truncatedBytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

function noManager(host: Host): FettleError {
  return new FettleError('command', `${host.name} has no package manager that fettle knows`, {
    hint: 'fettle patches Debian and Ubuntu hosts (apt)',
  });
}
