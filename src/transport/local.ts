import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { FettleError } from '../domain/error.ts';
import type { Host } from '../domain/host.ts';
import { converse, type ChannelEnd } from './channel.ts';
import type { CredentialGuard } from './credential-guard.ts';
import { cancelled } from './limit.ts';
import { startShell } from './spawn.ts';
import type { ExecRequest, ExecResult, OpenOptions, Session, Transport } from './session.ts';

export interface LocalEnvironment {
  /** The environment of commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly credentials: CredentialGuard;
}

/** The machine fettle runs on, through `sh`. */
export function localTransport(environment: LocalEnvironment): Transport {
  return {
    name: 'local',
    open: async (host: Host, { signal }: OpenOptions): Promise<Session> => {
      if (signal?.aborted) throw cancelled(signal, `the connection to ${host.name}`);
      return new LocalSession(host.name, environment);
    },
    // One command at a time, each with three pipes.
    descriptors: () => Promise.resolve(3),
  };
}

/** How long a command waits for a descriptor or a process of this machine. */
const startLimitMs = 30_000;

class LocalSession implements Session {
  readonly hostName: string;
  readonly transport = 'local';
  readonly shell = 'posix';
  readonly credentials: CredentialGuard;
  readonly #env: NodeJS.ProcessEnv;
  readonly #onClose = new Set<(error: FettleError) => void>();
  isAlive = true;

  constructor(hostName: string, { env, credentials }: LocalEnvironment) {
    this.hostName = hostName;
    this.credentials = credentials;
    this.#env = { ...env };
  }

  async exec(request: ExecRequest): Promise<ExecResult> {
    const what = `the command on ${this.hostName}`;
    if (!this.isAlive) throw this.#closed();
    if (request.signal?.aborted) throw cancelled(request.signal, what);
    const limit = { ms: startLimitMs, signal: request.signal, what: this.hostName };
    const child = await startShell(request.command, { env: this.#env, cwd: '/' }, limit).catch((cause: unknown) => {
      if (cause instanceof FettleError) throw cause;
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new FettleError('connect', `no shell can be started on ${this.hostName}: ${said}`, { cause });
    });
    // It may have been closed while the shell waited for its start.
    if (!this.isAlive) {
      abandon(child);
      throw this.#closed();
    }
    const { promise: ended, resolve, reject } = Promise.withResolvers<ChannelEnd>();
    child.once('close', (exitCode, signal) => resolve({ exitCode, ...(signal === null ? {} : { signal }) }));
    this.#onClose.add(reject);
    try {
      const { stdin, stdout, stderr } = child;
      return await converse({ stdin, stdout, stderr, ended, release: () => abandon(child) }, request, what);
    } finally {
      this.#onClose.delete(reject);
    }
  }

  #closed(): FettleError {
    return new FettleError('lost', `the session with ${this.hostName} is closed`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isAlive = false;
    for (const tell of this.#onClose) tell(this.#closed());
  }
}

/** The command continues; it no longer keeps this process alive. */
function abandon(child: ChildProcessWithoutNullStreams): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.unref();
}
