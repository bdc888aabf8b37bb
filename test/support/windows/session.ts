import { setTimeout as pause } from 'node:timers/promises';
import { FettleError } from '../../../src/domain/error.ts';
import type { ExecRequest, ExecResult, Session } from '../../../src/transport/session.ts';
import type { CommandHost } from '../winrm-server/command-host.ts';

const limitBytes = 16 * 1024 * 1024;

/** A session straight to a simulated host: its command lines as WinRS would hand them to cmd, without a wire between. */
export class WindowsSession implements Session {
  readonly hostName = 'win01';
  readonly transport: string;
  readonly shell = 'powershell';
  readonly #host: CommandHost;

  constructor(host: CommandHost, transport = 'winrm') {
    this.#host = host;
    this.transport = transport;
  }

  get isAlive(): boolean {
    return this.#host.state === 'running';
  }

  async exec(request: ExecRequest): Promise<ExecResult> {
    if (!this.isAlive) throw new FettleError('connect', `${this.hostName} is ${this.#host.state}`);
    const running = this.#host.start(request.command);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    running.onOutput((stream, bytes) => {
      (stream === 'stdout' ? stdout : stderr).push(bytes);
      void (stream === 'stdout' ? request.onStdout : request.onStderr)?.(bytes);
    });
    running.write(Buffer.from(request.stdin ?? ''), true);
    const timer = new AbortController();
    const limit = request.timeoutMs === undefined ? undefined : pause(request.timeoutMs, 'late', timer);
    const exitCode = await Promise.race(limit === undefined ? [running.ended] : [running.ended, limit]);
    timer.abort();
    limit?.catch(() => undefined);
    if (typeof exitCode === 'string') {
      running.kill();
      throw new FettleError('timeout', `${this.hostName} did not answer within ${request.timeoutMs} ms`);
    }
    const [out, errors] = [Buffer.concat(stdout), Buffer.concat(stderr)];
    const kept = request.outputLimitBytes ?? limitBytes;
    return {
      stdout: out.subarray(0, kept),
      stderr: errors.subarray(0, kept),
      exitCode,
      stdoutTruncatedBytes: Math.max(0, out.length - kept),
      stderrTruncatedBytes: Math.max(0, errors.length - kept),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
