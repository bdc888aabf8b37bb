// What an account of the host can do to what runs there under another one: names of processes, and its environment.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readHostSummary } from '../../src/managers/host-scan.ts';
import { parseFrame } from '../../src/remote/frame.ts';
import { runScript } from '../../src/remote/launch.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import { eventually } from '../support/eventually.ts';
import { noLinux } from '../support/hook-job.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';
import { notRoot } from '../support/sshd.ts';

const noApt = existsSync('/usr/bin/apt-get') ? undefined : 'this machine has no apt';
const nobody = 65_534;

async function pidsAtWork(session: ShellSession): Promise<number[]> {
  const { stdout } = await runScript(session, probeScript(), { verb: 'summary' });
  const sections = parseFrame(stdout);
  return readHostSummary(sections, Date.now()).running.map(({ pid }) => pid);
}

for (const shell of ['dash', 'busybox'] as const) {
  const skip = shellIsMissing(shell) ?? noLinux ?? noApt ?? false;
  describe(`an account of the host, under ${shell}`, { skip }, () => {
    test(
      'keeps no reboot off by a program that it calls apt, with a set-user-id bit or without; root does',
      { skip: notRoot },
      async () => {
        await using session = new ShellSession({ shell });
        const directory = mkdtempSync(join(tmpdir(), 'fettle-names-'));
        const started: ChildProcess[] = [];
        const start = async (file: string, uid: number): Promise<number> => {
          const child = spawn(file, ['600'], { uid, gid: uid, stdio: 'ignore' });
          started.push(child);
          const { pid } = child;
          assert.ok(pid !== undefined);
          await eventually(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'apt\n', 'it has its name');
          return pid;
        };
        try {
          chmodSync(directory, 0o755);
          const plain = join(directory, 'apt');
          copyFileSync('/bin/sleep', plain);
          chmodSync(plain, 0o755);
          mkdirSync(join(directory, 'raised'));
          const raised = join(directory, 'raised', 'apt');
          copyFileSync('/bin/sleep', raised);
          chmodSync(raised, 0o4755);
          const [named, setuid, own] = [await start(plain, nobody), await start(raised, nobody), await start(plain, 0)];
          const status = readFileSync(`/proc/${setuid}/status`, 'utf8');
          assert.match(status, /^Uid:\t65534\t0\t/m, 'its effective user is root');
          const pids = await pidsAtWork(session);
          assert.deepEqual(
            [named, setuid, own].map((pid) => pids.includes(pid)),
            [false, false, true],
          );
        } finally {
          for (const child of started) {
            const over = once(child, 'exit');
            child.kill();
            await over;
          }
          rmSync(directory, { recursive: true });
        }
      },
    );

    test('hands on neither programs of its own PATH nor options for apt by TMPDIR', async () => {
      const poison = mkdtempSync(join(tmpdir(), 'fettle-poison-'));
      chmodSync(poison, 0o777);
      try {
        const [used, asked] = [join(poison, 'used'), join(poison, 'asked')];
        for (const name of ['apt-get', 'apt-cache', 'dpkg-query', 'cat', 'sed', 'awk', 'ls', 'id', 'date']) {
          writeFileSync(join(poison, name), `#!/bin/sh\necho "$0" >>${used}\n`);
          chmodSync(join(poison, name), 0o755);
        }
        const env = {
          PATH: `${poison}:/usr/sbin:/usr/bin:/sbin:/bin`,
          TMPDIR: `${poison}/a -o Dir::Bin::Methods::injected=1 b`,
        };
        await using session = new ShellSession({ shell, env });
        const recorder = join(session.home, 'bin', 'apt-get');
        writeFileSync(recorder, `#!/bin/sh\nprintf '%s\\n' "$*" >>${asked}\n`);
        chmodSync(recorder, 0o755);
        const { stdout } = await runScript(session, probeScript(), { verb: 'probe' });
        assert.ok(parseFrame(stdout).has('apt-normal'));
        assert.equal(existsSync(used) ? readFileSync(used, 'utf8') : '', '');
        assert.match(readFileSync(asked, 'utf8'), /-s/);
        assert.doesNotMatch(readFileSync(asked, 'utf8'), /injected/);
      } finally {
        rmSync(poison, { recursive: true });
      }
    });
  });
}
