// A WinRM server in this process and a transport that reaches it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../src/base/clock.ts';
import type { Connection, Host, WinrmSettings } from '../../../src/domain/host.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { CredentialGuard } from '../../../src/transport/credential-guard.ts';
import { defaultWinrmSettings, WinrmTransport } from '../../../src/transport/winrm/winrm.ts';
import type { WinrmSession } from '../../../src/transport/winrm/shell/session.ts';
import { makeCertificate, type MadeCertificate } from '../../support/winrm-server/certificate.ts';
import { ScriptedHost } from '../../support/winrm-server/scripted-host.ts';
import {
  startWinrmServer,
  type WinrmServer,
  type WinrmServerOptions,
} from '../../support/winrm-server/winrm-server.ts';

export const account = { user: 'Administrator', password: 'Pässword & 1' };

/** Runs on by itself; sleeping takes no time, and time can be let pass. */
class TestClock implements Clock {
  #aheadMs = 0;
  readonly sleeps: number[] = [];

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  elapsedMs(): number {
    return performance.now() + this.#aheadMs;
  }

  pass(ms: number): void {
    this.#aheadMs += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
  }
}

export interface RigOptions {
  readonly scheme?: 'http' | 'https';
  readonly server?: Partial<WinrmServerOptions>;
  readonly settings?: Partial<WinrmSettings>;
  readonly connection?: Partial<Connection>;
  readonly certificate?: MadeCertificate;
  readonly guard?: CredentialGuard;
  readonly commands?: ScriptedHost;
}

let shared: MadeCertificate | undefined;

/** Made once: it takes openssl some time. */
export function sharedCertificate(): MadeCertificate {
  shared ??= makeCertificate();
  return shared;
}

export class Rig implements AsyncDisposable {
  readonly server: WinrmServer;
  readonly commands: ScriptedHost;
  readonly clock = new TestClock();
  readonly guard: CredentialGuard;
  readonly transport: WinrmTransport;
  readonly dir: string;
  readonly host: Host;
  readonly #opened: WinrmSession[] = [];

  private constructor(server: WinrmServer, commands: ScriptedHost, options: RigOptions) {
    this.server = server;
    this.commands = commands;
    this.guard = options.guard ?? new CredentialGuard();
    this.dir = mkdtempSync(join(tmpdir(), 'fettle-winrm-'));
    this.transport = new WinrmTransport({
      credentials: this.guard,
      certificatesFile: this.certificatesFile,
      clock: this.clock,
    });
    const { certificate } = server;
    if (certificate !== undefined) writeFileSync(this.caFile, certificate.certificate);
    this.host = hostAt(server.port, {
      settings: { ...(certificate === undefined ? { scheme: 'http' } : { caFile: this.caFile }), ...options.settings },
      connection: options.connection ?? {},
    });
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    const commands = options.commands ?? new ScriptedHost();
    const isTls = (options.scheme ?? 'http') === 'https';
    const server = await startWinrmServer({
      commands,
      accounts: [account],
      ...(isTls ? { certificate: options.certificate ?? sharedCertificate() } : {}),
      ...options.server,
    });
    return new Rig(server, commands, options);
  }

  get caFile(): string {
    return join(this.dir, 'ca.pem');
  }

  get certificatesFile(): string {
    return join(this.dir, 'state', 'winrm_certificates');
  }

  /** Names of the operations so far, logins and cleanup left out. */
  get operations(): readonly string[] {
    return this.server.stats.operations.map(({ name }) => name);
  }

  async open(host: Host = this.host): Promise<WinrmSession> {
    const session = await this.transport.open(host, {});
    this.#opened.push(session);
    return session;
  }

  /** The same host with other settings. */
  with(settings: Partial<WinrmSettings>, connection: Partial<Connection> = {}): Host {
    const { connection: own } = this.host;
    const winrm = { ...defaultWinrmSettings, ...own.winrm, ...settings };
    return { ...this.host, connection: { ...own, ...connection, winrm } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#opened) await session[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.commands[Symbol.dispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface HostParts {
  readonly settings: Partial<WinrmSettings>;
  readonly connection: Partial<Connection>;
}

export function hostAt(port: number, { settings, connection }: HostParts): Host {
  return {
    name: 'win01',
    id: 'win01',
    groups: ['all'],
    connection: {
      transport: 'winrm',
      address: '127.0.0.1',
      port,
      user: account.user,
      password: new Secret(account.password),
      sshArguments: [],
      hostKeyPolicy: 'strict',
      limits: { connectMs: 10_000, handshakeMs: 10_000, authMs: 10_000, idleMs: 20_000 },
      winrm: { ...defaultWinrmSettings, operationTimeoutSec: 1, readTimeoutSec: 10, ...settings },
      ...connection,
    },
    patch: { enabled: true, hold: [], clusters: [] },
    variables: {},
  };
}
