import type { Clock } from '../../base/clock.ts';
import type { Host } from '../../domain/host.ts';
import type { JobId } from '../../domain/job.ts';
import type { HostSummary, HostScan } from '../../domain/scan.ts';
import type { Simulation } from '../../domain/simulation.ts';
import type { PackageManager } from '../../managers/contract/package-manager.ts';
import type { Sections } from '../../managers/contract/sections.ts';
import { readHostScan, readHostState, readHostSummary, unscannedManagers } from '../../managers/host-scan.ts';
import { runText } from '../../remote/exec.ts';
import { parseFrame } from '../../remote/frame.ts';
import { collectJob, followJob, startJob, sweepJobs } from '../../remote/jobs.ts';
import { runScript } from '../../remote/launch.ts';
import type { ScriptRequest } from '../../remote/script.ts';
import { inPowerShell, probeScript, usualManagers } from '../../remote/scripts.ts';
import type { Session } from '../../transport/session.ts';
import { isOutage } from '../../domain/error.ts';
import type { BootState, ExecOptions, HostPort, RunCommandResult, ScanOptions, SimulateRequest } from './host-port.ts';
import type { PacedReading } from './paced-reading.ts';
import type { HostSession } from './host-session.ts';
import type { FollowOptions, JobNews, StartedJob, StartOptions } from '../../remote/jobs.ts';

export interface ManagedHostPorts {
  readonly clock: Clock;
  readonly packageManager: (name: string) => PackageManager;
  /** Package managers that an earlier scan found on it; undefined where there is none. */
  readonly knownManagers: (host: Host) => Promise<readonly string[] | undefined>;
  readonly readPaced: PacedReading;
}

/** Each query starts a powershell.exe: on a Windows host without news it waits up to this long. */
const quietWaitSec = 60;
/** Answers without news, one after the other, that make a host a quiet one. */
const quietAnswers = 3;
const scanTimeoutMs = 5 * 60_000;
/** A search of Windows Update takes minutes, the first after installing many updates far longer. */
const windowsSearchSec = 40 * 60;
const startTimeoutMs = 2 * 60_000;
const bootTimeoutMs = 20_000;
const bootIdPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** systemctl(1) is-system-running; a degraded system has settled. */
const settledStates = ['running', 'degraded', 'maintenance'];

const bootRequest: ScriptRequest = { verb: 'boot', managers: [] };
const fingerprintRequest: ScriptRequest = { verb: 'fingerprint', managers: [] };

interface ProbeAnswer {
  readonly answer: Buffer;
  /** Names of the script's parts. */
  readonly scripts: readonly string[];
}

interface Description {
  readonly answers: readonly Sections[];
  readonly scripts: readonly string[];
}

function fingerprintOf(sections: Sections): string | undefined {
  const digest = sections.get('fingerprint')?.trim() ?? '';
  return /^[0-9a-f]{64}$/.test(digest) ? digest : undefined;
}

/** Several answers as one: what a later one repeats counts, and what it scanned is added. */
function joined(answers: readonly Sections[]): Sections {
  const scanned = answers.map((sections) => sections.get('scanned') ?? '').join('\n');
  return new Map([...answers.flatMap((sections) => [...sections]), ['scanned', scanned]]);
}

/** Does to a host what the engine asks for, by the scripts of `remote/` over the host's one link. */
export class ManagedHost implements HostPort {
  readonly host: Host;
  readonly #link: HostSession;
  readonly #ports: ManagedHostPorts;
  /** Whose scripts go along with a probe; undefined: those of all, since nothing is known of the host. */
  #managers: readonly string[] | undefined;
  #quiet = { answers: 0, note: '' };

  constructor(link: HostSession, ports: ManagedHostPorts) {
    this.host = link.host;
    this.#link = link;
    this.#ports = ports;
  }

  endpoint(signal: AbortSignal): Promise<string | undefined> {
    return this.#over(this.#link.plain(signal), async (session) => session.endpoint);
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#link.plain(signal);
  }

  async scan({ maxAgeMs, signal, beforeReading, isStateOnly = false }: ScanOptions): Promise<HostScan> {
    const isLight = isStateOnly && this.host.connection.shell !== 'powershell';
    const request = { verb: isLight ? 'state' : 'probe', fields: this.#searchFields() };
    const { answers, scripts } = await this.#describe(request, signal);
    const collectedMs = this.#ports.clock.now();
    await beforeReading?.();
    const scan = await this.#ports.readPaced(() =>
      isLight ? readHostState(joined(answers), collectedMs) : readHostScan(joined(answers), { collectedMs, maxAgeMs }),
    );
    this.#managers = scan.managers;
    return { ...scan, scripts };
  }

  async summary(signal: AbortSignal): Promise<HostSummary> {
    const { answers } = await this.#describe({ verb: 'summary' }, signal);
    const collectedMs = this.#ports.clock.now();
    return this.#ports.readPaced(() => readHostSummary(joined(answers), collectedMs));
  }

  async simulate(
    { manager: name, updates, isSized = true }: SimulateRequest,
    signal: AbortSignal,
  ): Promise<Simulation> {
    const manager = this.#ports.packageManager(name);
    const request = manager.simulateRequest(updates);
    const search = this.host.connection.shell === 'powershell' ? this.#searchFields() : {};
    const fields = { ...search, ...request.fields, ...(isSized ? {} : { sizes: 'no' }) };
    const { answer } = await this.#probe({ ...request, verb: 'simulate', managers: [name], fields }, signal);
    return this.#ports.readPaced(() => {
      const sections = parseFrame(answer);
      const fingerprint = fingerprintOf(sections);
      return { ...manager.parseSimulation(sections), ...(fingerprint === undefined ? {} : { fingerprint }) };
    });
  }

  /** Windows Update queries its source anew for each simulation: nothing on the host stands for its answer. */
  async fingerprint(signal: AbortSignal): Promise<string | undefined> {
    if (this.host.connection.shell === 'powershell') return undefined;
    const { answer } = await this.#probe(fingerprintRequest, signal);
    return fingerprintOf(parseFrame(answer));
  }

  /** Without elevation: a boot id is everybody's to read, and a starting system may not let anybody be root yet. */
  bootState(signal: AbortSignal): Promise<BootState> {
    return this.#over(this.#link.plain(signal), async (session) => {
      const options = { signal, timeoutMs: bootTimeoutMs };
      const { stdout } = await runScript(session, probeScript(bootRequest), bootRequest, options);
      const sections = parseFrame(stdout);
      const bootId = sections.get('boot-id')?.trim() ?? '';
      const init = sections.get('init-start')?.trim() ?? '';
      const isSettled = settledStates.includes(sections.get('system-state')?.trim() ?? '');
      const uptime = sections.get('clock')?.trim().split('\n')[1] ?? '';
      return {
        isSettled,
        ...(bootIdPattern.test(bootId) ? { bootId } : {}),
        ...(/^\d{1,15}$/.test(init) ? { initStart: Number(init) } : {}),
        ...(/^\d{1,10}$/.test(uptime) ? { uptimeSec: Number(uptime) } : {}),
      };
    });
  }

  startJob(start: StartOptions, signal: AbortSignal): Promise<StartedJob> {
    return this.#over(this.#link.elevated(signal), async (session) => {
      const options = { signal, timeoutMs: startTimeoutMs };
      return startJob(session, this.#withSearch(start), options);
    });
  }

  async followJob(job: JobId, offset: number, options: FollowOptions): Promise<JobNews> {
    const news = await this.#over(this.#link.elevated(options.signal), (session) =>
      followJob(session, job, offset, { ...options, waitSec: this.#waitSec(options.waitSec) }),
    );
    const note = news.status.note ?? '';
    const isQuiet = news.log.length === 0 && note === this.#quiet.note && news.result === undefined;
    this.#quiet = { answers: isQuiet ? this.#quiet.answers + 1 : 0, note };
    return news;
  }

  /** News ends a wait at once, so a longer one delays nothing. */
  #waitSec(asked: number): number {
    const isQuiet = this.host.connection.shell === 'powershell' && this.#quiet.answers >= quietAnswers;
    return isQuiet && asked >= 20 ? Math.max(asked, quietWaitSec) : asked;
  }

  collectJob(job: JobId, signal: AbortSignal): Promise<void> {
    const options = { signal, timeoutMs: startTimeoutMs };
    return this.#over(this.#link.elevated(signal), (session) => collectJob(session, job, options));
  }

  async sweepRun(run: string, signal: AbortSignal): Promise<void> {
    const options = { signal, timeoutMs: startTimeoutMs };
    await this.#over(this.#link.elevated(signal), (session) => sweepJobs(session, { run, isDone: true }, options));
  }

  exec(text: string, options: ExecOptions): Promise<RunCommandResult> {
    return this.#over(this.#link.elevated(options.signal), async (session) => {
      const { exitCode, stdout, stderr, ...cut } = await runText(session, text, options);
      const truncatedBytes = cut.stdoutTruncatedBytes + cut.stderrTruncatedBytes;
      return { exitCode, stdout, stderr, truncatedBytes };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }

  /** Jobs that search use the source of the scan. */
  #withSearch(start: StartOptions): StartOptions {
    if (this.host.connection.shell !== 'powershell' || !['install', 'refresh'].includes(start.kind)) return start;
    const { wait: _wait, ...search } = this.#searchFields();
    return { ...start, request: { ...start.request, fields: { ...search, ...start.request.fields } } };
  }

  /** How the inventory wants this host to be searched; each family reads its own fields and ignores the others. */
  #searchFields(): Record<string, string | number> {
    const { securityOrigins = [], windows } = this.host.patch;
    const { source, catalogue, hasDrivers, hasSoftware, ignoredRebootSigns = [] } = windows ?? {};
    return {
      ...(securityOrigins.length === 0 ? {} : { security_origins: securityOrigins.join(',') }),
      ...(source === undefined ? {} : { source }),
      ...(catalogue === undefined ? {} : { cab: catalogue }),
      ...(hasDrivers === true ? { drivers: 'yes' } : {}),
      ...(hasSoftware === false ? { software: 'no' } : {}),
      ...(ignoredRebootSigns.length === 0 ? {} : { ignore_reboot: ignoredRebootSigns.join(',') }),
      ...(this.host.connection.shell === 'powershell' ? { wait: windowsSearchSec } : {}),
    };
  }

  /** A package manager that turns up, and whose script the host was not sent, costs a second round trip. */
  async #describe(request: ScriptRequest, signal: AbortSignal): Promise<Description> {
    const managers = (this.#managers ??= await this.#ports.knownManagers(this.host)) ?? this.#usualManagers();
    const known = managers === undefined ? {} : { managers };
    const first = await this.#probe({ ...request, ...known }, signal);
    const sections = parseFrame(first.answer);
    const missing = unscannedManagers(sections);
    if (missing.length === 0) return { answers: [sections], scripts: first.scripts };
    const fields = { ...request.fields, only: 'yes' };
    const second = await this.#probe({ ...request, managers: missing, fields }, signal);
    const scripts = [...new Set([...first.scripts, ...second.scripts])];
    return { answers: [sections, parseFrame(second.answer)], scripts };
  }

  #usualManagers(): readonly string[] | undefined {
    return this.host.connection.shell === 'powershell' ? undefined : usualManagers;
  }

  #probe(request: ScriptRequest, signal: AbortSignal): Promise<ProbeAnswer> {
    return this.#over(this.#link.elevated(signal), async (session) => {
      const isSlow = session.shell === 'powershell' && request.verb !== 'summary';
      const options = { signal, timeoutMs: isSlow ? windowsSearchSec * 1_000 + scanTimeoutMs : scanTimeoutMs };
      const script = session.shell === 'powershell' ? inPowerShell({ name: 'probe' }, request) : probeScript(request);
      const { stdout } = await runScript(session, script, request, options);
      return { answer: stdout, scripts: script.files };
    });
  }

  /**
   * A connection that was lost is dropped, so that the next call opens another; so is one over which an answer did not
   * come in time: its channel stays taken, and a connection has only some.
   */
  async #over<T>(opening: Promise<Session>, action: (session: Session) => Promise<T>): Promise<T> {
    const session = await opening;
    try {
      return await action(session);
    } catch (error) {
      if (isOutage(error)) await this.#link.drop();
      throw error;
    }
  }
}
