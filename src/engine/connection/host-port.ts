import type { Host } from '../../domain/host.ts';
import type { JobId } from '../../domain/job.ts';
import type { HostSummary, HostScan } from '../../domain/scan.ts';
import type { Simulation } from '../../domain/simulation.ts';
import type { Pin } from '../../managers/contract/package-manager.ts';
import type { FollowOptions, JobNews, StartedJob, StartOptions } from '../../remote/jobs.ts';

/** What one probe of a host that may be rebooting reports. */
export interface BootState {
  /** Only a well-formed boot id counts; an error text is none. */
  readonly bootId?: string;
  /** When PID 1 was started, clock ticks since the kernel booted. */
  readonly initStart?: number;
  /** False while the system is still starting; a degraded system has settled. */
  readonly isSettled: boolean;
  readonly uptimeSec?: number;
}

export interface RunCommandResult {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly truncatedBytes: number;
}

/**
 * What the engine does to one host, each call over that host's one connection, which is opened when first needed and
 * opened again after a loss. All fail with `FettleError`; what the transport lost has the code connect, timeout, lost,
 * auth, host-key or elevate.
 */
export interface HostPort extends AsyncDisposable {
  readonly host: Host;
  /** What the connection proved of its far end; undefined where its transport proves nothing. See `Session.endpoint`. */
  endpoint(signal: AbortSignal): Promise<string | undefined>;
  /** Connects and authenticates; the elevation is tried by the first script. */
  connect(signal: AbortSignal): Promise<void>;
  scan(options: ScanOptions): Promise<HostScan>;
  /** A scan without pending updates, which take a host far longer. */
  summary(signal: AbortSignal): Promise<HostSummary>;
  simulate(request: SimulateRequest, signal: AbortSignal): Promise<Simulation>;
  /** As it stands in a simulation, at a fraction of its cost; undefined where the host has none. */
  fingerprint(signal: AbortSignal): Promise<string | undefined>;
  bootState(signal: AbortSignal): Promise<BootState>;
  /** Idempotent: a second start of the same job attaches. Refuses with `lock-held` while another run has the host. */
  startJob(start: StartOptions, signal: AbortSignal): Promise<StartedJob>;
  followJob(job: JobId, offset: number, options: FollowOptions): Promise<JobNews>;
  /** Removes the job's files and leaves the tombstone. */
  collectJob(job: JobId, signal: AbortSignal): Promise<void>;
  /** Collects every job of a run that is over: the run is done with the host. */
  sweepRun(run: string, signal: AbortSignal): Promise<void>;
  /** Runs `text` by `sh`, sent on stdin, with the host's elevation. */
  exec(text: string, options: ExecOptions): Promise<RunCommandResult>;
}

export interface ScanOptions {
  /** True: without a search for updates, where the host can do without. */
  readonly isStateOnly?: boolean;
  /** Metadata older than this is stale. */
  readonly maxAgeMs: number;
  readonly signal: AbortSignal;
  /** Awaited between the answer's coming and its being read. */
  readonly beforeReading?: () => Promise<void>;
}

export interface SimulateRequest {
  readonly manager: string;
  readonly updates: readonly Pin[];
  /** False: sizes of downloads may be left out of the answer. */
  readonly isSized?: boolean;
}

export interface ExecOptions {
  readonly signal: AbortSignal;
  /** Longest time that the command may take, milliseconds. */
  readonly timeoutMs: number;
  readonly outputLimitBytes: number;
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}
