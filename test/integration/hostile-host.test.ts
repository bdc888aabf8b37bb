// Hosts that answer through a real sshd what no host should: the process goes on, and ends when it is told to.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cli } from '../support/cli.ts';
import { loginName, makeKey, noSshd, Sshd } from '../support/sshd.ts';
import { Rig } from './rig.ts';

const fixture = join(import.meta.dirname, '../fixtures/managers/apt/everything/answer');
/** A process that is busy with the hostile answer takes minutes to hours. */
const hangMs = 90_000;

/** A true answer but for one section, and for its mark, which the script puts in. */
function answerWith(section: string, text: string): string {
  const answer = readFileSync(fixture, 'utf8');
  const mark = /FETTLE (\S+) begin/.exec(answer)?.[1] ?? '';
  const begin = answer.indexOf(`\x1e${mark} ${section}\n`);
  const end = answer.indexOf(`\n\x1e${mark} `, begin);
  assert.ok(mark !== '' && begin >= 0 && end >= 0);
  const changed = `${answer.slice(0, begin)}\x1e${mark} ${section}\n${text}${answer.slice(end)}`;
  return changed.replaceAll(mark, '@MARK@');
}

interface Hostility {
  readonly title: string;
  readonly command: readonly string[];
  /** What the host sends for every command; written by `sh`. */
  readonly script: (directory: string) => string;
  readonly files: Readonly<Record<string, string>>;
  readonly variables?: string;
  /** What is waited for before the process is told to end; the host's name where it is absent. */
  readonly told?: string;
}

const framed = (directory: string): string =>
  `read -r line; set -- $line; sed "s/@MARK@/$2/g" '${directory}/answer'; cat >/dev/null`;

const hostile: readonly Hostility[] = [
  {
    title: 'a simulation of one line of a megabyte, made of open brackets',
    command: ['scan'],
    script: framed,
    files: { answer: answerWith('apt-normal', `Inst a (b${' [x'.repeat(330_000)}`) },
  },
  {
    title: 'a simulation of a million updates',
    command: ['scan'],
    script: framed,
    files: { answer: answerWith('apt-normal', 'Inst a (1 [x])\n'.repeat(1_000_000)) },
  },
  {
    title: 'control characters by the hundred thousand as the output of a command',
    // Alone, so that its output is told at the end.
    command: ['exec', 'evil', '--', 'true'],
    script: (directory) => `cat '${directory}/output'; cat >/dev/null`,
    files: { output: '\u009d'.repeat(400_000) },
    told: '--- evil',
  },
  {
    title: 'the word password without end where su asks for one',
    command: ['exec', 'all', '--', 'true'],
    script: (directory) => `cat '${directory}/prompts' >&2; exec sleep 600`,
    files: { prompts: 'password'.repeat(30_000) },
    variables: ', ansible_become: true, ansible_become_method: su, ansible_become_password: x',
  },
];

/** Both hosts are one sshd: `evil` logs in with a key whose command is hostile, `slow` with one that never answers. */
async function inventory(rig: Rig, sshd: Sshd, variables = ''): Promise<string> {
  const words = sshd.arguments().join(' ');
  const common = `ansible_host: 127.0.0.1, ansible_port: ${sshd.port}, ansible_user: ${loginName}, ansible_ssh_common_args: '${words}'`;
  const key = sshd.clientKey.file;
  return rig.write(
    'inventory.yaml',
    `all:\n  hosts:\n    evil: {${common}, ansible_ssh_private_key_file: ${key}${variables}}\n    slow: {${common}, ansible_ssh_private_key_file: ${rig.path('slow')}}\n`,
  );
}

async function untilTold(child: ChildProcess, word: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes(word)) resolve(said);
    });
  }
  child.once('close', () => resolve(said));
  return promise;
}

describe('a hostile host', { skip: noSshd }, () => {
  for (const { title, command, script, files, variables, told = 'evil' } of hostile) {
    test(`that answers ${title} does not prevent the run from ending`, async () => {
      await using sshd = await Sshd.start();
      await using rig = await Rig.make();
      for (const [name, text] of Object.entries(files)) await rig.write(name, text);
      const evil = await rig.write('evil.sh', `${script(rig.directory)}\n`);
      const slow = makeKey(rig.directory, 'slow');
      const forced = [`command="sh ${evil}" ${sshd.clientKey.publicLine}`, `command="sleep 600" ${slow.publicLine}`];
      await writeFile(join(sshd.dir, 'authorized'), `${forced.join('\n')}\n`);
      const argv = [cli, ...command.slice(0, 1), '-i', await inventory(rig, sshd, variables), ...command.slice(1)];
      const child = spawn(process.execPath, argv, {
        cwd: rig.directory,
        env: { PATH: process.env['PATH'], HOME: rig.directory, FETTLE_LEDGER: rig.path('ledger.db') },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const ended = once(child, 'close');
      const hung = setTimeout(() => child.kill('SIGKILL'), hangMs);
      const said = await untilTold(child, told);
      child.kill('SIGTERM');
      const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
      clearTimeout(hung);
      assert.notEqual(signal, 'SIGKILL', `it did not end; it said: ${said}`);
      assert.match(said, /evil/);
    });
  }
});
