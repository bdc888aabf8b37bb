import { spawn } from 'node:child_process';
import { FettleError } from '../domain/error.ts';
import type { Host } from '../domain/host.ts';
import { converse, type ChannelEnd } from './channel.ts';
import type { ExecRequest, ExecResult, OpenOptions, Session, Transport } from './session.ts';

/** The machine fettle runs on, through `sh`. */
export function localTransport(env: Readonly<Record<string, string | undefined>>): Transport {
  return {
    name: 'local',
    open: async (host: Host, { signal }: OpenOptions): Promise<Session> => {
      signal?.throwIfAborted();
      return new LocalSession(host.name, env);
    },
  };
}

class LocalSession implements Session {
  readonly hostName: string;
  readonly transport = 'local';
  readonly shell = 'posix';
  readonly #env: NodeJS.ProcessEnv;
  isAlive = true;

  constructor(hostName: string, env: Readonly<Record<string, string | undefined>>) {
    this.hostName = hostName;
    this.#env = { ...env };
  }

  async exec(request: ExecRequest): Promise<ExecResult> {
    if (!this.isAlive) throw new FettleError('lost', `the session with ${this.hostName} is closed`);
    // A process group of its own: Ctrl-C in the terminal is for fettle, not for what runs on the host.
    const child = spawn('sh', ['-c', request.command], { env: this.#env, cwd: '/', detached: true, stdio: 'pipe' });
    const ended = new Promise<ChannelEnd>((resolve, reject) => {
      child.once('error', (cause) => {
        reject(new FettleError('connect', `no shell can be started on ${this.hostName}: ${cause.message}`, { cause }));
      });
      child.once('close', (exitCode, signal) => {
        resolve({ exitCode, ...(signal === null ? {} : { signal }) });
      });
    });
    ended.catch(() => undefined);
    const release = (): void => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      child.unref();
    };
    return converse(
      { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, release },
      request,
      `the command on ${this.hostName}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isAlive = false;
  }
}
