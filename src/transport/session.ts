import type { FettleError } from '../domain/error.ts';
import type { Host } from '../domain/host.ts';
import type { CredentialGuard } from './credential-guard.ts';

/**
 * What a command may answer to a prompt (sudo's password). Called after each piece of stderr; no `stdin` is sent
 * until it answers `go`. Text it recognised is reported as `consumed` and excluded from the result.
 */
export interface Dialogue {
  /** How long the command may take until `go`. Milliseconds; absent = no limit of its own. */
  readonly limitMs?: number;
  next(stderr: string): DialogueAnswer;
}

export type DialogueAnswer =
  | { readonly kind: 'wait' }
  /** Called again when `until` has settled; that time does not count against `limitMs`. */
  | { readonly kind: 'later'; readonly until: Promise<void> }
  | { readonly kind: 'send'; readonly bytes: Uint8Array; readonly consumed: number }
  | { readonly kind: 'go'; readonly consumed: number }
  | { readonly kind: 'fail'; readonly error: FettleError };

export interface ExecRequest {
  /** Constant text for the host's login shell. Never carries a value: values go to stdin. */
  readonly command: string;
  /** Sent after the dialogue (at once without one), then end of file. */
  readonly stdin?: string | Uint8Array;
  readonly dialogue?: Dialogue;
  /** Called with each piece as it comes, before the cap; a returned promise holds the channel back. */
  readonly onStdout?: (chunk: Uint8Array) => void | Promise<void>;
  readonly onStderr?: (chunk: Uint8Array) => void | Promise<void>;
  /** Kept in the result per stream; what comes after is drained, counted and dropped. Default 16 MiB. */
  readonly outputLimitBytes?: number;
  /** Whole time of the command; absent = no limit. The remote process is left running, not killed. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal?: string;
  /** The connection was re-established while the command ran: part of its output may be missing. */
  readonly hasGap?: true;
  readonly stdoutTruncatedBytes: number;
  readonly stderrTruncatedBytes: number;
}

/**
 * One open connection to one host. `exec` may be called concurrently (a transport that cannot queues). A command's
 * non-zero exit is a result; only the transport's own failures are thrown, as `FettleError` with a code of
 * connect, auth, host-key, timeout, lost, elevate or cancelled. A channel that ends without an exit status is `lost`.
 */
export interface Session extends AsyncDisposable {
  readonly hostName: string;
  readonly transport: string;
  /** Which launcher `remote/` uses. */
  readonly shell: 'posix' | 'powershell';
  exec(request: ExecRequest): Promise<ExecResult>;
  /** False once the connection is known to be gone. */
  readonly isAlive: boolean;
  /**
   * Identity of the far end as proved by the connection, independent of what the host reports: equal for two sessions
   * only if both reached the same address and port by the same route and met the same host key. Absent if a transport
   * cannot prove it.
   */
  readonly endpoint?: string;
  /** Which passwords hosts accepted or refused; shared by the sessions of one process. */
  readonly credentials?: CredentialGuard;
}

/** A way to reach hosts. `open` connects, authenticates and checks the host key, each stage under its own limit. */
export interface Transport {
  readonly name: string;
  open(host: Host, options: OpenOptions): Promise<Session>;
  /**
   * Names and addresses of the jump hosts on the route to this host, by inventory and configuration. Contacts no
   * host. Throws `config` if the settings of the host are invalid. Absent: always direct.
   */
  route?(host: Host): Promise<readonly string[]>;
  /** File descriptors of this process that one session of the host holds at most. Contacts no host. Absent: one. */
  descriptors?(host: Host): Promise<number>;
}

export interface OpenOptions {
  readonly signal?: AbortSignal;
}
