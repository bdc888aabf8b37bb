// A host with snapd on it: the real client, which is led to the socket of the double.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecRequest, ExecResult } from '../../../src/transport/session.ts';
import { ShellSession } from '../shell-session.ts';
import type { ShellSessionOptions } from '../shell-session.ts';
import { noClient, snapClient } from './client.ts';
import { Snapd } from './snapd.ts';
import type { SnapdOptions } from './snapd.ts';

const socket = '/run/snapd.socket';

export class SnapHost extends ShellSession {
  readonly snapd: Snapd;

  private constructor(shell: ShellSessionOptions, snapd: SnapdOptions) {
    super(shell);
    this.snapd = new Snapd(snapd);
  }

  static async start(shell: ShellSessionOptions, snapd: SnapdOptions): Promise<SnapHost> {
    const client = snapClient();
    if (client === undefined) throw new Error(noClient);
    const host = new SnapHost(shell, snapd);
    // dirs.SetRootDir of snapd: where the client looks for everything.
    const lines = [
      '#!/bin/sh',
      `SNAPPY_GLOBAL_ROOT='${host.#root}'`,
      'export SNAPPY_GLOBAL_ROOT',
      `exec '${client}' "$@"`,
    ];
    writeFileSync(join(host.home, 'bin', 'snap'), lines.join('\n'), { mode: 0o755 });
    await host.listen();
    return host;
  }

  listen(): Promise<void> {
    return this.snapd.listen(this.#root);
  }

  get #root(): string {
    return join(this.home, 'root');
  }

  override exec(request: ExecRequest): Promise<ExecResult> {
    if (request.stdin === undefined) return super.exec(request);
    return super.exec({ ...request, stdin: String(request.stdin).replaceAll(socket, join(this.#root, socket)) });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.snapd.stop();
    await super[Symbol.asyncDispose]();
  }
}
