// The double of snapd answers as snapd does: the real daemon, in a root of its own without a network and without snaps,
// beside the double, asked by the same client.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { noClient, snapClient, snapDaemon } from '../support/snapd/client.ts';
import { Snapd } from '../support/snapd/snapd.ts';

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const [client, daemon] = [snapClient(), snapDaemon()];

function reasonToSkip(): string | undefined {
  if (client === undefined || daemon === undefined) return noClient;
  if (process.getuid?.() !== 0) return 'snapd runs as root only';
  const { status } = spawnSync('unshare', ['--mount', '--net', 'true']);
  return status === 0 ? undefined : 'namespaces cannot be made here';
}

const nobody = 65_534;

function ask(root: string, args: readonly string[], uid = 0): Promise<Answer> {
  const env = { SNAPPY_GLOBAL_ROOT: root, LC_ALL: 'C', PATH: process.env['PATH'] ?? '' };
  const child = spawn(client ?? '', args, { env, uid, gid: uid, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      // What releases from 2.68 at the latest begin with, and 2.57 does not.
      const words = Buffer.concat(stderr).toString().replace('cannot refresh "hello": ', '');
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: words });
    });
  });
}

describe('the double of snapd', { skip: reasonToSkip() ?? false }, () => {
  const [real, ours] = [mkdtempSync(join(tmpdir(), 'fettle-snapd-')), mkdtempSync(join(tmpdir(), 'fettle-snapd-'))];
  const double = new Snapd({ snaps: [] });
  let stop = (): Promise<void> => Promise.resolve();

  before(async () => {
    for (const root of [real, ours]) chmodSync(root, 0o755);
    for (const place of ['run', 'etc', 'snap', 'sys/fs/cgroup', 'var/lib/snapd'])
      mkdirSync(join(real, place), { recursive: true });
    const env = { ...process.env, SNAPPY_GLOBAL_ROOT: real };
    const child = spawn('unshare', ['--mount', '--net', daemon ?? ''], { env, stdio: 'ignore' });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    stop = () => {
      child.kill('SIGKILL');
      return ended;
    };
    // It refuses changes until it has set itself up.
    while (!/Done .* Initialize system state/.test((await ask(real, ['changes'])).stdout)) {
      assert.equal(child.exitCode, null, 'snapd ended');
    }
    await double.listen(ours);
  });

  after(async () => {
    await stop();
    await double.stop();
    for (const root of [real, ours]) rmSync(root, { recursive: true, force: true });
  });

  const plain = ['--unicode=never', '--color=never'];
  const questions: readonly (readonly string[])[] = [
    ['list', ...plain],
    ['refresh', '--list', ...plain],
    ['refresh', 'hello', '--revision=7', '--no-wait'],
    ['changes', '--abs-time', 'hello'],
    ['watch', '7'],
  ];
  for (const args of questions) {
    test(`answers \`snap ${args.join(' ')}\` as snapd does`, async () => {
      const answer = await ask(real, args);
      assert.deepEqual(await ask(ours, args), answer);
      assert.notEqual(answer.stdout + answer.stderr, '');
    });
  }

  test('lets an account that is not root read and change nothing, as snapd does', async () => {
    double.mayChange = false;
    for (const args of questions) {
      assert.deepEqual(await ask(ours, args, nobody), await ask(real, args, nobody), args.join(' '));
    }
  });

  test('has the lines of the schedule that snapd has', async () => {
    const lines = async (root: string) => {
      const { stdout } = await ask(root, ['refresh', '--time', '--abs-time']);
      return stdout.split('\n').map((line) => line.slice(0, line.indexOf(':') + 1));
    };
    const [own, ofSnapd] = [await lines(ours), await lines(real)];
    // A fresh snapd holds its first refresh back for two hours.
    assert.deepEqual(
      own,
      ofSnapd.filter((line) => line !== 'hold:'),
    );
  });
});
