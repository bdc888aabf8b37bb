// What a host does when it is to be rebooted or switched off only while nobody is there, and what it calls off.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { JobResult } from '../../src/domain/job.ts';
import { followJob, startJob } from '../../src/remote/jobs.ts';
import type { Session } from '../../src/transport/session.ts';
import { eventually } from '../support/eventually.ts';
import { ShellSession } from '../support/shell-session.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost } from '../support/windows/host.ts';
import { WindowsSession } from '../support/windows/session.ts';

const job = { job: 'r1-a-1', kind: 'reboot', run: 'R1', controller: 'one', fence: 1 } as const;

async function power(session: Session, fields: Readonly<Record<string, string>>): Promise<JobResult> {
  const request = { fields };
  await startJob(session, { ...job, request });
  for (;;) {
    const { result, status } = await followJob(session, 'r1-a-1', 0, { waitSec: 10, maxBytes: 10_000 });
    if (result !== undefined) return result;
    assert.ok(['claimed', 'running'].includes(status.phase), status.phase);
  }
}

/** Programs of the host that stand before the machine's own. */
function withPrograms(session: ShellSession, programs: Readonly<Record<string, string>>): ShellSession {
  for (const [name, text] of Object.entries(programs)) {
    const file = join(session.home, 'bin', name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
  }
  return session;
}

/** Never the machine's own. */
const harmless = { reboot: 'exit 1', poweroff: 'exit 1', systemctl: 'exit 1', shutdown: 'exit 1' };
const noSessions = { who: 'exit 0', loginctl: 'exit 0' };

const skipWithoutNamespaces = process.getuid?.() === 0 ? false : 'only root may make a PID namespace';

/** A process of root's in a PID namespace of its own, under the name of `program`, until disposed of. */
async function runInContainer(session: ShellSession, program: string): Promise<AsyncDisposable> {
  const path = join(session.home, program);
  symlinkSync('/bin/sh', path);
  // The shell's name is that of the link it was started by, and it has to stay to wait for what it started.
  const words = ['--fork', '--pid', '--kill-child', path, '-c', 'echo up; read -r _; exit'];
  const child = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

describe('a POSIX host', () => {
  test('names whoever has a terminal or a desktop, and not the logins of programs', async () => {
    await using session = withPrograms(new ShellSession(), {
      ...harmless,
      who: "printf 'ada      tty1         2026-11-01 10:00\\n'",
      loginctl: `case $1 in
        list-sessions) printf '3 1000 bob seat0\\n4 0 root\\n5 1001 eve\\n' ;;
        show-session)
          case $2 in
            3) printf 'Name=bob\\nType=wayland\\nState=active\\nClass=user\\nTTY=\\n' ;;
            4) printf 'Name=root\\nType=tty\\nState=active\\nClass=user\\nTTY=\\n' ;;
            5) printf 'Name=eve\\nType=tty\\nState=closing\\nClass=user\\nTTY=pts/3\\n' ;;
          esac
          ;;
      esac`,
    });
    for (const kind of ['reboot', 'off']) {
      const { verdict, message } = await power(session, { power: kind, idle: 'yes' });
      assert.deepEqual([verdict, message], ['in-use', 'logged on: ada on tty1, bob on wayland']);
    }
  });

  test('cancels what is scheduled where shutdown(8) reports that something was', async () => {
    for (const [status, said] of [
      [0, /^called off: shutdown$|^nothing was scheduled$/],
      [1, /^nothing was scheduled$/],
    ] as const) {
      await using session = withPrograms(new ShellSession(), {
        ...harmless,
        ...noSessions,
        shutdown: `exit ${status}`,
      });
      const { verdict, message } = await power(session, { power: 'cancel' });
      assert.equal(verdict, 'ok');
      assert.match(message ?? '', said);
    }
  });

  test('reports the message of a guard in place of reboot, answers no prompt of it and stays up', async () => {
    const guard =
      'echo "W: molly-guard: SSH session detected!"; printf "Please type in hostname: "; read answer; exit 1';
    const programs = { ...harmless, ...noSessions, reboot: guard, systemctl: guard };
    await using session = withPrograms(new ShellSession(), programs);
    assert.equal((await power(session, { power: 'reboot' })).verdict, 'ok');
    let note = '';
    await eventually(async () => {
      const { status } = await followJob(session, 'r1-a-1', 0, { waitSec: 0, maxBytes: 1 });
      note = status.note ?? '';
      return note.startsWith('refused: ');
    }, 'the job tells what its command said');
    assert.match(note, /^refused: (systemctl )?reboot ended with status 1: .*SSH session detected!/);
  });

  test(
    'is not kept up by a package manager in a container, whoever asks',
    { skip: skipWithoutNamespaces },
    async () => {
      await using session = withPrograms(new ShellSession(), { ...harmless, ...noSessions });
      await using _container = await runInContainer(session, 'apt-get');
      assert.equal((await power(session, { power: 'reboot' })).verdict, 'ok');
    },
  );

  test('knows no other power state', async () => {
    await using session = withPrograms(new ShellSession(), { ...harmless, ...noSessions });
    assert.equal((await power(session, { power: 'nap' })).verdict, 'bad-request');
  });
});

describe('a Windows host', { skip: skipWithoutDotnet }, () => {
  const quickly = { delayShare: 0.1, shutdownMs: 0, offMs: 50, bootingMs: 50, logonUiMs: 0, servicingMs: 0 };

  test('names whoever is logged on, disconnected sessions too, and not the desktop that waits for a logon', async () => {
    const sessions = [
      { user: String.raw`CORP\ada`, state: 'Active' },
      { user: String.raw`CORP\bob`, state: 'Disc' },
    ] as const;
    await using host = createWindowsHost({ model: { sessions: [...sessions] } });
    const { verdict, message } = await power(new WindowsSession(host), { idle: 'yes' });
    assert.equal(verdict, 'in-use');
    assert.equal(message, String.raw`logged on: CORP\ada in session 2, CORP\bob in session 3`);
    assert.equal(host.model().shutdown, undefined);
  });

  test('goes off when no user is logged on, and stays off', async () => {
    await using host = createWindowsHost({ model: { reboot: quickly } });
    const request = { fields: { power: 'off', idle: 'yes' } };
    // Not followed: a busy machine may go down before it is asked how its job ended.
    await startJob(new WindowsSession(host), { ...job, request });
    await host.reaches('off');
    const { shutdown } = host.model();
    assert.deepEqual([shutdown?.isReboot, shutdown?.reason], [false, 'p:0:0']);
    await new Promise((resolve) => setTimeout(resolve, quickly.offMs * 4));
    assert.equal(host.state, 'off');
  });

  test('cancels a scheduled shutdown, and reports when there was none', async () => {
    const shutdown = { at: Date.now() + 3_600_000, isReboot: true, isInProgress: false, reason: '', comment: '' };
    await using host = createWindowsHost({ model: { shutdown } });
    assert.equal((await power(new WindowsSession(host), { power: 'cancel' })).message, 'called off: shutdown');
    assert.equal(host.model().shutdown, undefined);
    await using idle = createWindowsHost();
    assert.equal((await power(new WindowsSession(idle), { power: 'cancel' })).message, 'nothing was scheduled');
  });

  test('knows no other power state', async () => {
    await using host = createWindowsHost();
    assert.equal((await power(new WindowsSession(host), { power: 'nap' })).verdict, 'bad-request');
  });
});
