/** The kinds of detached jobs on a host. Each is one verb of `remote/posix/job.sh`. */
export type JobKind = 'install' | 'refresh' | 'repair' | 'reboot' | 'restart' | 'hook';

/** Derived from run, host, step and attempt, so that the same request gives the same job. `[a-z0-9-]`, at most 80. */
export type JobId = string;

export type JobPhase =
  /** No directory and no tombstone. */
  | 'absent'
  /** Prepared and claimed, the runner has not started. */
  | 'claimed'
  | 'running'
  /** The result file is there. */
  | 'done'
  /** Heartbeat old, process gone, no result. */
  | 'crashed'
  /** Boot id differs from the one the job started under, no result. */
  | 'interrupted'
  /** Collected earlier; a tombstone is left. */
  | 'collected';

export interface JobStatus {
  readonly phase: JobPhase;
  /** Bytes in the log so far. */
  readonly logBytes: number;
  /** The current step of the job: `waiting for lock (pid 12 apt-get)`, `installing`, … */
  readonly note?: string;
  readonly bootId?: string;
}

export interface JobResult {
  /** The package manager's or script's exit status. */
  readonly exitCode: number;
  /** `ok`, or the code word of the job script's own refusal: `drift`, `locked`, `disk`, `broken-before`, `bad-request`, … */
  readonly verdict: string;
  readonly message?: string;
  /** Sections of the result file by name, parsed by the manager. */
  readonly sections: Readonly<Record<string, string>>;
  readonly startedMs?: number;
  readonly endedMs?: number;
}

/** `<run>-<host hash>-<step>-<attempt>` in the alphabet of unit names. */
export function jobId(run: string, hostDigest: string, step: string, attempt: number): JobId {
  return `${run.toLowerCase()}-${hostDigest.slice(0, 12)}-${step.replaceAll('_', '-')}-${attempt}`;
}
