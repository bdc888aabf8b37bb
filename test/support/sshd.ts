// A real OpenSSH sshd on loopback, as whoever runs the tests.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Connection, Host } from '../../src/domain/host.ts';
import { eventually } from './eventually.ts';

const sshdFile = '/usr/sbin/sshd';

/** For `skip`: why there is no sshd to test with; false when there is one. */
export const noSshd: string | false = existsSync(sshdFile) ? false : `there is no ${sshdFile}: install openssh-server`;
/** For `skip`: why accounts cannot be made for a test; false for root. */
export const notRoot: string | false = process.getuid?.() === 0 ? false : 'only root can make accounts for this test';

export const loginName: string = userInfo().username;

export type KeyType = 'ed25519' | 'rsa' | 'ecdsa';

export interface SshdOptions {
  readonly hostKeys?: readonly KeyType[];
  /** Further lines of sshd_config(5); the first of a keyword holds. */
  readonly config?: readonly string[];
}

export interface MadeKey {
  readonly file: string;
  readonly publicLine: string;
}

/** A key made by ssh-keygen in a file of its own. */
export function makeKey(dir: string, name: string, options: { type?: KeyType; passphrase?: string } = {}): MadeKey {
  const file = join(dir, name);
  const bits = options.type === 'rsa' ? ['-b', '2048'] : [];
  const words = ['-q', '-t', options.type ?? 'ed25519', ...bits, '-N', options.passphrase ?? '', '-C', name];
  execFileSync('ssh-keygen', [...words, '-f', file]);
  return { file, publicLine: readFileSync(`${file}.pub`, 'utf8').trim() };
}

/** Of one sshd: its directory holds its keys, the keys it lets in, known_hosts for its clients and its log. */
export class Sshd implements AsyncDisposable {
  readonly port: number;
  readonly dir: string;
  /** Lets its user in. */
  readonly clientKey: MadeKey;
  readonly hostKeys: readonly MadeKey[];
  readonly #process: ChildProcess;

  private constructor(made: { port: number; dir: string; clientKey: MadeKey; hostKeys: readonly MadeKey[] }) {
    this.port = made.port;
    this.dir = made.dir;
    this.clientKey = made.clientKey;
    this.hostKeys = made.hostKeys;
    // A log that is not there yet could not be read.
    const log = join(made.dir, 'log');
    writeFileSync(log, '');
    this.#process = spawn(sshdFile, ['-D', '-f', join(made.dir, 'config'), '-E', log], { stdio: 'ignore' });
  }

  static async start(options: SshdOptions = {}): Promise<Sshd> {
    // sshd's own directory for its unprivileged half, where no package made it.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const dir = mkdtempSync(join(tmpdir(), 'fettle-sshd-'));
    execFileSync('chmod', ['755', dir]);
    const hostKeys = (options.hostKeys ?? ['ed25519']).map((type) => makeKey(dir, `host-${type}`, { type }));
    const clientKey = makeKey(dir, 'client');
    writeFileSync(join(dir, 'authorized'), `${clientKey.publicLine}\n`, { mode: 0o644 });
    const port = await freePort();
    const lines = [
      ...(options.config ?? []),
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      ...hostKeys.map(({ file }) => `HostKey ${file}`),
      `AuthorizedKeysFile ${join(dir, 'authorized')}`,
      `PidFile ${join(dir, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      'LogLevel VERBOSE',
      // Many logins at once come to one sshd here, to many in a fleet.
      'MaxStartups 100',
      // The tester's own shell profile is no part of a test.
      `SetEnv HOME=${dir}`,
    ];
    writeFileSync(join(dir, 'config'), `${lines.join('\n')}\n`);
    const sshd = new Sshd({ port, dir, clientKey, hostKeys });
    sshd.knownHosts(
      'known_hosts',
      hostKeys.map(({ publicLine }) => `[127.0.0.1]:${port} ${publicLine}`),
    );
    await sshd.#isUp();
    return sshd;
  }

  /** Writes a file of known hosts into the directory. */
  knownHosts(name: string, lines: readonly string[]): string {
    const file = join(this.dir, name);
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    return file;
  }

  get log(): string {
    return readFileSync(join(this.dir, 'log'), 'utf8');
  }

  /** As an inventory would have it; nothing of the tester's own ~/.ssh counts. */
  host(name: string, overrides: Partial<Connection> = {}): Host {
    return sshHost(name, {
      port: this.port,
      user: loginName,
      privateKeyFile: this.clientKey.file,
      sshArguments: this.arguments(),
      ...overrides,
    });
  }

  arguments(knownHosts = join(this.dir, 'known_hosts')): string[] {
    return isolatedArguments(knownHosts);
  }

  async #isUp(): Promise<void> {
    await eventually(() => {
      if (this.#process.exitCode !== null) throw new Error(`sshd ended: ${this.log}`);
      return answers(this.port);
    }, `sshd answers, its log is in ${this.dir}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill();
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function isolatedArguments(knownHosts: string): string[] {
  const options = ['GlobalKnownHostsFile=none', 'IdentityFile=none', 'IdentityAgent=none'];
  return ['-F', 'none', '-o', `UserKnownHostsFile=${knownHosts}`, ...options.flatMap((option) => ['-o', option])];
}

export function sshHost(name: string, overrides: Partial<Connection> = {}): Host {
  return {
    name,
    id: name,
    groups: ['all'],
    connection: {
      transport: 'ssh',
      address: '127.0.0.1',
      sshArguments: [],
      hostKeyPolicy: 'strict',
      limits: { connectMs: 10_000, handshakeMs: 10_000, authMs: 20_000, idleMs: 20_000 },
      ...overrides,
    },
    patch: { enabled: true, hold: [], clusters: [] },
    variables: {},
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
