import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { SshConfiguration } from '../../../src/transport/ssh/configuration.ts';
import type { SshOptions } from '../../../src/transport/ssh/options.ts';

const dir = mkdtempSync(join(tmpdir(), 'fettle-defaults-'));
after(() => rmSync(dir, { recursive: true }));
const ssh = realSsh();
let machines = 0;

function realSsh(): string | undefined {
  try {
    return execFileSync('/bin/sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** A machine whose ssh keeps a log of its starts; each configuration is that of one run of fettle. */
class Machine {
  readonly home: string;
  readonly program: string;
  readonly log: string;
  readonly cacheDirectory: string;

  constructor() {
    machines += 1;
    this.home = join(dir, String(machines));
    this.program = join(this.home, 'bin/ssh');
    this.log = join(this.home, 'log');
    this.cacheDirectory = join(this.home, 'cache');
    mkdirSync(join(this.home, 'bin'), { recursive: true });
    mkdirSync(this.cacheDirectory);
    writeFileSync(this.log, '');
    writeFileSync(this.program, `#!/bin/sh\necho "$*" >>'${this.log}'\nexec '${ssh ?? ''}' "$@"\n`, { mode: 0o755 });
  }

  /** In a run of its own. */
  async options(config: string): Promise<SshOptions> {
    const file = join(this.home, 'config');
    writeFileSync(file, config);
    const env = { PATH: join(this.home, 'bin') };
    const { home: homeDir, cacheDirectory } = this;
    const configuration = new SshConfiguration({ env, homeDir, userName: 'alice', cacheDirectory });
    return configuration.options({ host: 'web01', arguments: ['-F', file] });
  }

  /** How often ssh was asked for its defaults, and how often for a host, since the last call. */
  starts(): readonly [defaults: number, hosts: number] {
    const lines = readFileSync(this.log, 'utf8').split('\n').filter(Boolean);
    writeFileSync(this.log, '');
    const ofDefaults = lines.filter((line) => line.startsWith('-F none')).length;
    return [ofDefaults, lines.length - ofDefaults];
  }
}

describe(
  'the defaults of ssh',
  { skip: ssh === undefined ? 'there is no ssh program: install openssh-client' : false },
  () => {
    test('are asked for in the first run, and not in the next', async () => {
      const machine = new Machine();
      const first = await machine.options('Host *\n  Port 7\n');
      assert.deepEqual(machine.starts(), [1, 1]);
      assert.deepEqual(await machine.options('Host *\n  Port 7\n'), first);
      assert.deepEqual(machine.starts(), [0, 1]);
      assert.deepEqual([first.port, first.algorithms.ciphers], [7, undefined]);
    });

    test('that are remembered hide no algorithm that the configuration sets', async () => {
      const machine = new Machine();
      await machine.options('');
      const { algorithms } = await machine.options('Host *\n  Ciphers aes256-ctr\n');
      assert.deepEqual([algorithms.ciphers, algorithms.kex], [['aes256-ctr'], undefined]);
    });

    test('are asked for again once the program is another', async () => {
      const machine = new Machine();
      await machine.options('');
      appendFileSync(machine.program, '# a new version\n');
      machine.starts();
      await machine.options('');
      assert.deepEqual(machine.starts(), [1, 1]);
    });

    test('are asked for again before an option is refused that is none of those remembered', async () => {
      const machine = new Machine();
      const kept = join(machine.cacheDirectory, 'ssh-defaults.json');
      const config = 'Host *\n  BindAddress 192.0.2.1\n';
      await machine.options('');
      machine.starts();
      await assert.rejects(machine.options(config), /bindaddress \(192\.0\.2\.1\) for web01 is not supported/);
      assert.deepEqual(machine.starts(), [1, 1]);
      assert.ok(existsSync(kept));
    });

    test('are asked for where what is kept cannot be read, or nothing can be kept', async () => {
      const machine = new Machine();
      const kept = join(machine.cacheDirectory, 'ssh-defaults.json');
      writeFileSync(kept, '{');
      await machine.options('');
      assert.deepEqual(machine.starts(), [1, 1]);
      rmSync(machine.cacheDirectory, { recursive: true });
      await machine.options('');
      assert.deepEqual(machine.starts(), [1, 1]);
    });
  },
);
