import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FettleError } from '../../src/domain/error.ts';
import type { Elevation } from '../../src/domain/host.ts';
import { Secret } from '../../src/domain/secret.ts';
import { elevate } from '../../src/remote/elevation.ts';
import { textLauncher } from '../../src/remote/exec.ts';
import { openTransports, type Transports } from '../../src/transport/registry.ts';
import type { ExecResult, Session } from '../../src/transport/session.ts';
import { rejectsWith } from '../contract/session.ts';
import { loginName, noSshd, notRoot, sshHost, Sshd } from '../support/sshd.ts';
import { ThrowAwayUser } from '../support/throw-away-user.ts';

const dir = mkdtempSync(join(tmpdir(), 'fettle-elevation-'));
after(() => rmSync(dir, { recursive: true }));

function sudo(more: Partial<Elevation> = {}): Elevation {
  return { method: 'sudo', user: 'root', flags: [], ...more };
}

function transports(): Transports {
  return openTransports({ env: process.env, homeDir: '/nonexistent', userName: loginName });
}

async function local(by: Transports): Promise<Session> {
  const transport = by.get('local');
  assert.ok(transport !== undefined);
  return transport.open(sshHost('here', { transport: 'local' }), {});
}

function text(session: Session, script: string): Promise<ExecResult> {
  return session.exec({ command: textLauncher, stdin: script });
}

/** A program of ours in place of sudo: `$mark` is its prompt, its `--` the command. */
function program(name: string, body: string): string {
  const file = join(dir, name);
  const read = 'mark=; for word; do case $word in fettle-*-password:) mark=$word ;; esac; done';
  const run = 'run() { while [ "$1" != -- ]; do shift; done; shift; exec "$@"; }';
  writeFileSync(file, `#!/bin/sh\n${read}\n${run}\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('what passes between us and the elevation program', () => {
  // Nobody is this account, so that a program of ours always stands between.
  const user = 'fettle-nobody';
  const password = new Secret('open sesame');

  test('the password follows the prompt, lectures and all, and stdin follows the elevated shell', async () => {
    const log = join(dir, 'told');
    const body = `echo 'We trust you have received the lecture' >&2
printf %s "$mark" >&2; IFS= read -r told; printf '%s\\n' "$told" >${log}; run "$@"`;
    await using by = transports();
    await using session = elevate(await local(by), sudo({ user, password, exe: program('asks', body) }));
    const result = await text(session, 'echo out; echo err >&2; exit 4');
    assert.equal(result.exitCode, 4);
    assert.equal(result.stdout.toString(), 'out\n');
    assert.equal(result.stderr.toString(), 'err\n');
    assert.equal(readFileSync(log, 'utf8'), 'open sesame\n');
  });

  test('where no password is asked for none is sent: the script gets its own stdin and nothing else', async () => {
    await using by = transports();
    await using session = elevate(await local(by), sudo({ user, password, exe: program('silent', 'run "$@"') }));
    const result = await session.exec({ command: 'cat', stdin: 'only this' });
    assert.equal(result.stdout.toString(), 'only this');
    assert.equal(result.stderr.toString(), '');
  });

  test('a prompt that anybody can print is not answered', async () => {
    const body = `printf 'Password: ' >&2; printf '[sudo] password for alice: ' >&2; run "$@"`;
    await using by = transports();
    await using session = elevate(await local(by), sudo({ user, password, exe: program('forged', body) }));
    const result = await session.exec({ command: 'cat', stdin: 'only this' });
    assert.equal(result.stdout.toString(), 'only this');
  });

  test('a second prompt means a wrong password, which is not tried again', async () => {
    const log = join(dir, 'tries');
    const body = `while printf %s "$mark" >&2 && IFS= read -r told; do echo "$told" >>${log}; done; exit 1`;
    await using by = transports();
    await using session = elevate(await local(by), sudo({ user, password, exe: program('refuses', body) }));
    await rejectsWith(text(session, 'echo never'), 'elevate', /^sudo to fettle-nobody on here refuses the password$/);
    assert.equal(readFileSync(log, 'utf8'), 'open sesame\n');
  });

  test('a wrong password goes to two hosts and to no third', async () => {
    const log = join(dir, 'fleet');
    const body = `printf %s "$mark" >&2; IFS= read -r told || exit 1; echo told >>${log}; printf %s "$mark" >&2; read -r told`;
    const elevation = sudo({ user, password, exe: program('fleet-refuses', body) });
    await using by = transports();
    const ends = await Promise.allSettled(
      Array.from({ length: 6 }, async () => {
        await using session = elevate(await local(by), elevation);
        await text(session, 'true');
      }),
    );
    assert.equal(readFileSync(log, 'utf8'), 'told\ntold\n');
    const reasons = ends.map((end) => (end.status === 'rejected' ? String(end.reason) : 'through'));
    assert.equal(reasons.filter((reason) => reason.includes('refuses the password')).length, 2);
    assert.equal(
      reasons.filter((reason) => reason.includes('was not tried: the password was refused twice')).length,
      4,
    );
  });

  test('flags and accounts of the inventory are words, whatever they hold', async () => {
    const exe = program("it's sudo", 'for word; do printf "<%s>" "$word"; done; exit 0');
    const flags = ['-C', '$(touch /tmp/never); "; echo', "it's"];
    await using by = transports();
    const plain = await local(by);
    let said = '';
    const session = elevate(
      {
        ...asSession(plain),
        exec: (request) => plain.exec({ ...request, onStdout: (chunk) => void (said += String(chunk)) }),
      },
      sudo({ user: "o'brien", exe, flags }),
    );
    await assert.rejects(text(session, 'true'), /refuses the elevation/);
    assert.match(said, /<-C><\$\(touch \/tmp\/never\); "; echo><it's><-u><o'brien><-->/);
  });

  test('Ansible’s -n is left out where a password is given, and kept where none is', async () => {
    const exe = program(
      'flags',
      'case " $* " in *" -n "*) echo "sudo: a password is required" >&2; exit 1;; esac; run "$@"',
    );
    const flags = ['-H', '-S', '-n'];
    await using by = transports();
    await using withPassword = elevate(await local(by), sudo({ user, exe, flags, password }));
    assert.equal((await text(withPassword, 'exit 3')).exitCode, 3);
    await using without = elevate(await local(by), sudo({ user, exe, flags }));
    await rejectsWith(text(without, 'true'), 'elevate', /requires a password \(sudo: a password is required\)/);
  });

  const words: readonly (readonly [said: string, error: RegExp])[] = [
    ['alice is not in the sudoers file.', /is not allowed for this account/],
    ['sudo: sorry, you must have a tty to run sudo', /requires a terminal \(requiretty\)/],
    ['sudo: Account expired or PAM config lacks an "account" section for sudo', /the account has expired/],
    ['Password change required but no TTY available.', /the account has expired/],
    ['sudo: unknown user fettle-nobody', /there is no such account/],
    ['sudo: effective uid is not 0, is sudo installed setuid root?', /has no set-user-id rights/],
    ['something nobody has seen', /refuses the elevation \(something nobody has seen\)/],
  ];
  for (const [said, error] of words) {
    test(`“${said}” is reported as what it is`, async () => {
      const exe = program('says', `echo '${said}' >&2; exit 1`);
      await using by = transports();
      await using session = elevate(await local(by), sudo({ user, exe }));
      await rejectsWith(text(session, 'true'), 'elevate', error);
    });
  }

  test('a missing elevation program is reported as such', async () => {
    await using by = transports();
    await using session = elevate(await local(by), sudo({ user, exe: join(dir, 'absent') }));
    await rejectsWith(text(session, 'true'), 'elevate', /sudo to fettle-nobody on here cannot be run on the host/);
  });

  test('a command that fails by itself after elevation is a result, whatever it prints', async () => {
    await using by = transports();
    await using session = elevate(await local(by), sudo({ user, exe: program('plain', 'run "$@"') }));
    const result = await text(session, 'echo "sudo: a password is required" >&2; exit 1');
    assert.deepEqual([result.exitCode, result.stderr.toString()], [1, 'sudo: a password is required\n']);
  });

  test('an account that we are already needs no elevation', async () => {
    await using by = transports();
    const exe = program('must-not-run', `: >${join(dir, 'ran')}; exit 1`);
    await using session = elevate(await local(by), sudo({ user: loginName, exe, password }));
    assert.equal((await session.exec({ command: 'cat', stdin: 'as ever' })).stdout.toString(), 'as ever');
    assert.equal(existsSync(join(dir, 'ran')), false);
  });
});

const noRig: string | false = noSshd === false ? notRoot : noSshd;

describe('real elevation programs', { skip: noRig }, () => {
  let stack: AsyncDisposableStack | undefined;
  let sshd: Sshd | undefined;
  before(async () => {
    if (noRig !== false) return;
    stack = new AsyncDisposableStack();
    sshd = stack.use(await Sshd.start());
  });
  after(() => stack?.disposeAsync());

  /** A session of a fresh account on a real sshd, and what raises it. */
  async function as(
    work: (user: ThrowAwayUser, raise: (elevation: Elevation) => Session) => Promise<void>,
    loginShell = '/bin/sh',
  ): Promise<void> {
    assert.ok(sshd !== undefined);
    using user = new ThrowAwayUser();
    // sshd remembers the shell from the login on.
    user.shell(loginShell);
    await using by = transports();
    const transport = by.get('ssh');
    assert.ok(transport !== undefined);
    await using plain = await transport.open(sshd.host('web01', { user: user.name }), {});
    await work(user, (elevation) => elevate(plain, elevation));
  }

  /** What bash reads before it runs anything, in the directory that our sshd calls home. */
  function startUpFile(lines: readonly string[]): Disposable {
    assert.ok(sshd !== undefined);
    const file = join(sshd.dir, '.bashrc');
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o644 });
    return { [Symbol.dispose]: () => rmSync(file) };
  }

  test('sudo under NOPASSWD: a password that is given all the same reaches nothing', async () => {
    await as(async (user, raise) => {
      user.sudoers('USER ALL=(ALL) NOPASSWD: ALL');
      const { password } = user;
      const result = await raise(sudo({ password })).exec({ command: 'id -u; cat', stdin: 'only this' });
      assert.equal(result.stdout.toString(), '0\nonly this');
      assert.equal(result.stderr.toString(), '');
      assert.equal((await raise(sudo()).exec({ command: 'id -u' })).stdout.toString(), '0\n');
    });
  });

  test('sudo with a password: right, wrong, and none', async () => {
    await as(async (user, raise) => {
      user.sudoers('Defaults:USER timestamp_timeout=0', 'USER ALL=(ALL) ALL');
      const right = raise(sudo({ password: user.password }));
      const result = await right.exec({ command: 'id -u; cat', stdin: 'script' });
      assert.equal(result.stdout.toString(), '0\nscript');
      assert.equal(result.stderr.toString(), '');
      const wrong = raise(sudo({ password: new Secret('wrong') }));
      await rejectsWith(text(wrong, 'true'), 'elevate', /sudo to root on web01 refuses the password/);
      await rejectsWith(text(raise(sudo()), 'true'), 'elevate', /requires a password \(sudo: a password is required\)/);
    });
  });

  test('the password is in no process list and no environment while the command runs', async () => {
    await as(async (user, raise) => {
      user.sudoers('Defaults:USER timestamp_timeout=0', 'USER ALL=(ALL) ALL');
      const session = raise(sudo({ password: user.password }));
      const look = 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"';
      const { stdout } = await text(session, look);
      assert.ok(stdout.length > 1_000);
      assert.equal(stdout.includes(user.password.reveal()), false);
    });
  });

  test('sudo refuses: no rule, a terminal wanted, an account that expired meanwhile', async () => {
    await as(async (user, raise) => {
      const elevation = sudo({ password: user.password });
      await rejectsWith(text(raise(elevation), 'true'), 'elevate', /is not allowed for this account \(.*sudoers/);
      user.sudoers('Defaults:USER requiretty', 'USER ALL=(ALL) ALL');
      await rejectsWith(text(raise(elevation), 'true'), 'elevate', /requires a terminal \(requiretty\)/);
      user.sudoers('USER ALL=(ALL) NOPASSWD: ALL');
      user.expire();
      await rejectsWith(text(raise(elevation), 'true'), 'elevate', /the account has expired/);
    });
  });

  test('su takes the password on stdin and gives stdout back', async () => {
    await as(async (user, raise) => {
      using other = new ThrowAwayUser();
      const su = (password: Secret): Elevation => ({ method: 'su', user: other.name, password, flags: [] });
      const result = await raise(su(other.password)).exec({ command: 'id -un; echo err >&2; cat', stdin: 'script' });
      assert.equal(result.stdout.toString(), `${other.name}\nscript`);
      assert.equal(result.stderr.toString(), 'err\n');
      await rejectsWith(text(raise(su(user.password)), 'true'), 'elevate', /su to \S+ on web01 refuses the password/);
      const none: Elevation = { method: 'su', user: other.name, flags: [] };
      await rejectsWith(text(raise(none), 'true'), 'elevate', /requires a password/);
    });
  });

  for (const shell of ['bash', 'dash', 'fish', 'tcsh', 'zsh', 'ksh93']) {
    const file = `/usr/bin/${shell}`;
    const noShell = existsSync(file) ? false : `there is no ${file}`;
    test(`a login shell that is ${shell} hands the command on as it is`, { skip: noShell }, async () => {
      await as(async (user, raise) => {
        user.sudoers('USER ALL=(ALL) NOPASSWD: ALL');
        const command = `printf '<%s>' "it's" 'a\\b' '$HOME' '!x' "$(id -u)"; cat`;
        const raised = await raise(sudo()).exec({ command, stdin: 'script' });
        assert.equal(raised.stdout.toString(), "<it's><a\\b><$HOME><!x><0>script");
        assert.equal(raised.stderr.toString(), '');
        using other = new ThrowAwayUser();
        const su: Elevation = { method: 'su', user: other.name, password: other.password, flags: [] };
        const through = await raise(su).exec({ command: `printf '%s' "$(id -un) it's"; cat`, stdin: ' script' });
        assert.equal(through.stdout.toString(), `${other.name} it's script`);
      }, file);
    });
  }

  test('nothing of the account’s environment reaches what runs elevated', async () => {
    await as(async (user, raise) => {
      using other = new ThrowAwayUser();
      user.sudoers('Defaults:USER !env_reset, !secure_path', 'USER ALL=(ALL) NOPASSWD: ALL');
      const planted = ['APT_CONFIG', 'PERL5LIB', 'TMPDIR', 'DPKG_ROOT', 'ENV', 'BASH_ENV', 'IFS_'];
      const lines = [...planted.map((name) => `export ${name}=/planted`), 'export PATH=/planted:$PATH'];
      using _profile = startUpFile(lines);
      const su: Elevation = { method: 'su', user: other.name, password: other.password, flags: [] };
      const unraised = await raise(sudo({ user: user.name })).exec({ command: 'env' });
      assert.match(unraised.stdout.toString(), /APT_CONFIG=\/planted/);
      for (const elevation of [su, sudo(), sudo({ user: other.name })]) {
        const plain = raise(elevation);
        const environment = (await plain.exec({ command: 'env' })).stdout.toString();
        assert.doesNotMatch(environment, /planted/);
        assert.match(environment, /^PATH=\/usr\/local\/sbin:/m);
        const home = elevation.user === 'root' ? '/root' : '/tmp/fettle-home-';
        assert.ok(environment.includes(`\nHOME=${home}`) || environment.startsWith(`HOME=${home}`), environment);
      }
    }, '/usr/bin/bash');
  });

  const bareLogins: readonly (readonly [profile: string, error: RegExp])[] = [
    ['exit 0', /the login shell on web01 ran no command: it ended with status 0$/],
    [
      'exec no-such-shell',
      /the login shell on web01 ran no command: .* status 127; its last output was: .*no-such-shell/,
    ],
    ['echo "sudo: a password is required" >&2; exit 1', /the login shell on web01 ran no command: .* status 1/],
  ];
  for (const [profile, error] of bareLogins) {
    test(`a start-up file with “${profile}” is not taken for a refusal of sudo`, async () => {
      await as(async (user, raise) => {
        user.sudoers('USER ALL=(ALL) NOPASSWD: ALL');
        using _profile = startUpFile([profile]);
        await rejectsWith(text(raise(sudo()), 'true'), 'elevate', error);
      }, '/usr/bin/bash');
    });
  }

  test('what a profile prints before is not taken for words of sudo', async () => {
    await as(async (user, raise) => {
      user.sudoers('Defaults:USER requiretty', 'USER ALL=(ALL) ALL');
      using _profile = startUpFile(['echo "su: Authentication failure" >&2']);
      await rejectsWith(text(raise(sudo()), 'true'), 'elevate', /requires a password|requires a terminal/);
    }, '/usr/bin/bash');
  });

  const doasConfig = '/etc/doas.conf';
  const noDoas: string | false = !existsSync('/usr/bin/doas')
    ? 'there is no doas: install opendoas'
    : existsSync(doasConfig) && `${doasConfig} is this machine's own`;
  test('doas goes where it is permitted without a password, and is an error where not', { skip: noDoas }, async () => {
    await as(async (user, raise) => {
      const doas: Elevation = { method: 'doas', user: 'root', flags: [], password: user.password };
      try {
        writeFileSync(doasConfig, `permit nopass ${user.name}\n`, { mode: 0o600 });
        assert.equal((await raise(doas).exec({ command: 'id -u; cat', stdin: 'x' })).stdout.toString(), '0\nx');
        writeFileSync(doasConfig, `permit ${user.name}\n`, { mode: 0o600 });
        await assert.rejects(text(raise(doas), 'true'), (error: FettleError) => {
          assert.match(error.message, /doas to root on web01 requires a password/);
          assert.match(error.hint ?? '', /doas reads passwords only from a terminal/);
          return true;
        });
        writeFileSync(doasConfig, 'permit nopass nobody\n', { mode: 0o600 });
        await rejectsWith(text(raise(doas), 'true'), 'elevate', /is not allowed for this account/);
      } finally {
        rmSync(doasConfig, { force: true });
      }
    });
  });
});

/** The parts of a session as own properties, so that a test can put another `exec` beside them. */
function asSession(session: Session): Session {
  const { hostName, transport, shell, isAlive } = session;
  return {
    hostName,
    transport,
    shell,
    isAlive,
    exec: (request) => session.exec(request),
    [Symbol.asyncDispose]: async () => session[Symbol.asyncDispose](),
  };
}
