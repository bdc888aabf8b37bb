// Windows hosts that cannot be worked with, or turn bad on the way: each is one message with cause and remedy, and the
// exit code of the README. The real command line against a WinRM service on loopback.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { windowsModel } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { startWindowsFleet, windowsAccount } from '../support/windows/fleet.ts';
import type { WindowsFleet, WindowsMember } from '../support/windows/fleet.ts';
import type { WindowsModel } from '../support/windows/model.ts';
import { makeCertificate } from '../support/winrm-server/certificate.ts';
import type { MadeCertificate } from '../support/winrm-server/certificate.ts';
import { ScriptedHost } from '../support/winrm-server/scripted-host.ts';
import { startWinrmServer } from '../support/winrm-server/winrm-server.ts';
import type { WinrmServer, WinrmServerOptions } from '../support/winrm-server/winrm-server.ts';
import { Rig } from './rig.ts';
import type { Ended } from './rig.ts';

const account = windowsAccount;

type Variables = Readonly<Record<string, string | number>>;

/** A WinRM service without PowerShell behind it: what fails here fails before any script runs. */
function serve(options: Partial<WinrmServerOptions> = {}): Promise<WinrmServer> {
  return startWinrmServer({ commands: new ScriptedHost(), accounts: [account], ...options });
}

/** An inventory of these services, in JSON, which is YAML too. */
function inventoryOf(servers: readonly WinrmServer[], variables: Variables = {}): string {
  const hosts = servers.map(({ host, port }, index): [string, Variables] => [
    `win0${index + 1}`,
    {
      ansible_connection: 'winrm',
      ansible_host: host,
      ansible_port: port,
      ansible_user: account.user,
      ansible_password: account.password,
      ...variables,
    },
  ]);
  return JSON.stringify({ all: { hosts: Object.fromEntries(hosts) } });
}

/** What it says in all, without colours, traces or the password. */
function words({ stdout, stderr }: Ended): string {
  const all = `${stderr}${stdout}`;
  assert.doesNotMatch(all, /\x1b|\n {4}at |node:internal|internal error/);
  assert.ok(!all.includes(account.password), 'the password is told');
  return all;
}

interface BadHost {
  readonly what: string;
  readonly server?: () => Partial<WinrmServerOptions>;
  /** Before fettle comes. */
  readonly prepare?: (server: WinrmServer) => void;
  readonly variables?: Variables;
  readonly code: number;
  readonly says: RegExp;
  readonly advises: RegExp;
}

let made: MadeCertificate | undefined;

/** Made once: it takes openssl some time. For localhost and 127.0.0.1. */
function certificate(): MadeCertificate {
  made ??= makeCertificate();
  return made;
}

const http = { ansible_winrm_scheme: 'http' };
const https = { ansible_winrm_ca_trust_path: 'ca.pem' };

const bad: readonly BadHost[] = [
  {
    what: 'a certificate that has expired',
    server: () => ({ certificate: makeCertificate({ isExpired: true }) }),
    variables: https,
    code: 12,
    says: /cannot be trusted: it has expired \(\d{4}-\d\d-\d\dT\d\d:\d\dZ\)/,
    advises: /renew it .*clock/,
  },
  {
    what: 'a certificate of an unknown authority',
    server: () => ({ certificate: certificate() }),
    code: 12,
    says: /cannot be trusted: it is self-signed \(sha256:[0-9a-f]{64}\)/,
    advises: /ansible_winrm_ca_trust_path.*compare the fingerprint.*patch_winrm_certificate/,
  },
  {
    what: 'a certificate for another name',
    server: () => ({ certificate: certificate(), listen: { address: '127.0.0.2' } }),
    variables: https,
    code: 12,
    says: /cannot be trusted: it is for another name \(.*IP Address:127\.0\.0\.1\)/,
    advises: /set ansible_host to a name in the certificate/,
  },
  {
    what: 'http where https is expected',
    variables: https,
    code: 5,
    says: /speaks plain http where TLS was expected/,
    advises: /ansible_port.*5986.*ansible_winrm_scheme: http/,
  },
  {
    what: 'https where http is expected',
    server: () => ({ certificate: certificate() }),
    variables: http,
    code: 5,
    says: /closed the connection without an answer|broke the connection: .* without an answer|speaks TLS/,
    advises: /ansible_winrm_scheme: https/,
  },
  {
    what: 'Basic where it is switched off',
    server: () => ({ certificate: certificate() }),
    variables: { ...https, ansible_winrm_transport: 'basic' },
    code: 12,
    says: /does not accept basic; it offers Negotiate/,
    advises: /ansible_winrm_transport.*service\/auth @\{Basic="true"\}/,
  },
  {
    what: 'Negotiate where it is switched off',
    server: () => ({ certificate: certificate(), isNegotiateOffered: false, isBasicAllowed: true }),
    variables: https,
    code: 12,
    says: /does not accept ntlm; it offers Basic/,
    advises: /service\/auth @\{Negotiate="true"\}/,
  },
  {
    what: 'a login that shall not be sealed',
    server: () => ({ withheldFlags: 0x20 }),
    variables: http,
    code: 12,
    says: /refuses sealing in the NTLM login; nothing weaker is sent/,
    advises: /use https/,
  },
  {
    what: 'Basic without TLS',
    variables: { ...http, ansible_winrm_transport: 'basic' },
    code: 4,
    says: /basic over plain HTTP could be read on the network/,
    advises: /ansible_winrm_scheme: https.*ansible_winrm_transport: ntlm/,
  },
  {
    what: 'messages in clear, which the inventory asks for',
    variables: { ...http, ansible_winrm_message_encryption: 'never' },
    code: 4,
    says: /without message encryption everything would be sent in clear text/,
    advises: /ansible_winrm_scheme: https/,
  },
  {
    what: 'a quota of shells that is reached',
    server: () => ({ quotas: { maxShellsPerUser: 0 } }),
    variables: http,
    code: 5,
    says: /number of concurrent shells for this user has been exceeded \[2150859173, QUOTA_MAX_SHELLS\]/,
    advises: /winrm enumerate shell.*winrm\/config\/winrs/,
  },
  {
    what: 'an account that may not open a shell',
    prepare: ({ faults }) => {
      const fault = { kind: 'fault', fault: { code: 5, message: 'Access is denied.' } } as const;
      faults.add({ on: 'Create', times: Infinity, fault });
    },
    variables: http,
    code: 12,
    says: /Access is denied \[5, ERROR_ACCESS_DENIED\]/,
    advises: /local administrator.*LocalAccountTokenFilterPolicy=1 \(in HKLM/,
  },
  {
    what: 'no powershell.exe',
    server: () => {
      const answer = { stderr: ['The system cannot find the path specified.\r\n'], exitCode: 1 };
      return { commands: new ScriptedHost({ answer: () => answer }) };
    },
    variables: http,
    code: 4,
    says: /ended with status 1 and no answer: The system cannot find the path/,
    advises: /Windows PowerShell 5\.1 must exist/,
  },
  {
    what: 'a service that does not run yet',
    server: () => ({ commands: Object.assign(new ScriptedHost(), { state: 'booting' as const }) }),
    variables: http,
    code: 5,
    says: /is not ready: its WinRM service does not run \[HTTP 503\]/,
    advises: /try again in a minute/,
  },
];

describe('a Windows host that refuses the login is one clear message and the right exit code', () => {
  for (const { what, server: options, prepare, variables, code, says, advises } of bad) {
    test(what, async () => {
      await using rig = await Rig.make();
      await using server = await serve(options?.());
      prepare?.(server);
      await rig.write('ca.pem', (server.certificate ?? certificate()).certificate);
      await rig.write('i.yaml', inventoryOf([server], variables));
      const ended = await rig.run(['ping', '-i', 'i.yaml']);
      assert.equal(ended.code, code, words(ended));
      const lines = words(ended).split('\n').filter(Boolean);
      assert.equal(lines.length, 1, words(ended));
      const [said = '', advice = ''] = (lines[0] ?? '').split('; hint: ');
      assert.match(said, says);
      assert.match(advice, advises);
      assert.match(said, /^win01\t/);
      // None of it may count against the account.
      assert.deepEqual(server.stats.failedLogins, []);
      assert.equal(server.stats.cleartextPasswords, 0);
    });
  }
});

describe('a wrong password', () => {
  const wrong = { ...http, ansible_password: 'never this one' };

  test('is offered once, with a hint what to check, and does not lock the account', async () => {
    await using rig = await Rig.make();
    await using server = await serve({ lockoutThreshold: 2 });
    await rig.write('i.yaml', inventoryOf([server], wrong));
    const ended = await rig.run(['scan', '-i', 'i.yaml']);
    assert.equal(ended.code, 12, words(ended));
    assert.match(words(ended), /refuses the ntlm login of Administrator/);
    assert.match(words(ended), /hint: check user \(DOMAIN\\user, .*and password, and whether the account is locked/);
    assert.doesNotMatch(words(ended), /never this one/);
    assert.equal(server.stats.failedLogins.length, 1);
    assert.equal(server.stats.handshakes, 1);
    await rig.write('i.yaml', inventoryOf([server], http));
    await rig.run(['ping', '-i', 'i.yaml']);
    assert.equal(server.stats.logins, 1);
  });

  test('that two hosts refused is offered to no further host of the fleet', async () => {
    await using rig = await Rig.make();
    await using stack = new AsyncDisposableStack();
    const servers: WinrmServer[] = [];
    for (let count = 0; count < 6; count += 1) servers.push(stack.use(await serve()));
    await rig.write('i.yaml', inventoryOf(servers, wrong));
    const ended = await rig.run(['ping', '-i', 'i.yaml']);
    assert.equal(ended.code, 12, words(ended));
    assert.equal(servers.flatMap(({ stats }) => stats.failedLogins).length, 2);
    const lines = words(ended).split('\n').filter(Boolean);
    assert.equal(lines.filter((line) => line.includes('refuses the ntlm login of Administrator')).length, 2);
    const kept = lines.filter((line) =>
      /was not sent the password of Administrator: .*refused twice before/.test(line),
    );
    assert.equal(kept.length, 4);
    assert.ok(
      kept.every((line) => /hint: correct the user or the password .*so that the account is not locked/.test(line)),
    );
  });
});

const playbook = `kind: patch
version: 1
name: monthly
targets: { select: all }
reboot: { mode: if-needed, go_down: 2m, come_back: 3s, settle: 1s }
`;

/** One simulated host, which a test turns bad, and fettle beside it. */
interface Turned {
  readonly rig: Rig;
  readonly fleet: WindowsFleet;
  readonly member: WindowsMember;
}

async function withHost(model: Partial<WindowsModel>, act: (turned: Turned) => Promise<void>): Promise<void> {
  await using rig = await Rig.make();
  await using fleet = await startWindowsFleet(['win01'], { model });
  await rig.write('i.yaml', `all:\n  children:\n${fleet.inventory}`);
  await rig.write('p.yaml', playbook);
  const [member] = fleet.members;
  assert.ok(member !== undefined);
  await act({ rig, fleet, member });
}

async function planned(rig: Rig): Promise<void> {
  const ended = await rig.run(['plan', 'p.yaml', '-i', 'i.yaml', '-o', 'plan.json']);
  assert.equal(ended.code, 0, words(ended));
}

function apply(rig: Rig): Promise<Ended> {
  return rig.run(['apply', 'plan.json', '-i', 'i.yaml', '--progress', 'plain']);
}

/** The lines on the host at the end, from its verdict on. */
function ending(ended: Ended): string {
  return words(ended).slice(words(ended).search(/^(failed|lost|unreachable) {2,}win01/m));
}

const policy = String.raw`HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate`;
const clerk = { name: String.raw`WIN01\clerk`, sid: 'S-1-5-21-1-2-3-1001', isAdministrator: false };

describe('a Windows host that is not fit for work', { skip: skipWithoutDotnet }, () => {
  test('with an account that is no administrator', async () => {
    await withHost({ account: clerk }, async ({ rig }) => {
      const ended = await rig.run(['ping', '-i', 'i.yaml']);
      assert.equal(ended.code, 12, words(ended));
      assert.match(words(ended), /WIN01\\clerk has no administrator rights, which a scan needs; hint: log in with/);
      assert.match(words(ended), /LocalAccountTokenFilterPolicy=1 \(in HKLM/);
    });
  });

  test('in constrained language mode', async () => {
    await withHost({ languageMode: 'ConstrainedLanguage' }, async ({ rig }) => {
      const ended = await rig.run(['ping', '-i', 'i.yaml']);
      assert.equal(ended.code, 4, words(ended));
      assert.match(words(ended), /runs PowerShell in ConstrainedLanguage mode.*; hint: .*AppLocker or WDAC/);
    });
  });

  test('without PowerShell 5.1', async () => {
    await withHost({ powershellVersion: '4.0' }, async ({ rig }) => {
      const ended = await rig.run(['ping', '-i', 'i.yaml']);
      assert.equal(ended.code, 4, words(ended));
      assert.match(words(ended), /has PowerShell 4\.0, which is too old; hint: .*Windows Management Framework 5\.1/);
    });
  });

  test('with a clock that is far off: a warning with the direction, and the work goes on', async () => {
    await withHost({}, async ({ rig }) => {
      // Ours is set back, which is the same.
      const late = 'const now = Date.now; Date.now = () => now() - 7_200_000;';
      const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(late)}` };
      const ended = await rig.run(['ping', '-i', 'i.yaml'], env);
      assert.equal(ended.code, 0, words(ended));
      assert.match(words(ended), /its clock is 7[12]\d\d s ahead of the controller's: check the time service/);
    });
  });

  test('whose update server cannot be reached', async () => {
    const { agent, registry } = windowsModel(Date.now());
    const server = 'http://wsus.example.net:8530';
    const values = { WUServer: text(server), WUStatusServer: text(server) };
    const model: Partial<WindowsModel> = {
      // A code that is not worth another search, so that the test need not wait for it.
      agent: { ...agent, source: 'wsus', searchFault: '0x80072EE7' },
      registry: {
        ...registry,
        [policy]: { values },
        [String.raw`${policy}\AU`]: { values: { UseWUServer: { kind: 'DWord', data: 1 } } },
      },
    };
    await withHost(model, async ({ rig }) => {
      const ended = await rig.run(['scan', '-i', 'i.yaml']);
      assert.equal(ended.code, 4, words(ended));
      assert.match(words(ended), /the search for updates failed: 0x80072EE7 a host name cannot be resolved/);
      assert.match(words(ended), /can the host reach its update server http:\/\/wsus\.example\.net:8530/);
    });
  });
});

function text(data: string): { readonly kind: 'String'; readonly data: string } {
  return { kind: 'String', data };
}

/** False, or why no small disk can be mounted here. */
function skipWithoutMount(): string | false {
  if (process.getuid?.() !== 0) return 'needs root to mount a small disk';
  const directory = mkdtempSync(join(tmpdir(), 'fettle-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', directory]);
  if (mounted.status === 0) execFileSync('umount', [directory]);
  rmdirSync(directory);
  return mounted.status === 0 ? false : 'mounts are not allowed here';
}

/** Puts a disk without room in place of a directory of the host. */
function fill(directory: string): Disposable {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', directory]);
  writeFileSync(join(directory, 'fill'), Buffer.alloc(4096));
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', directory]) };
}

describe('a Windows host that turns bad between plan and end', { skip: skipWithoutDotnet }, () => {
  test('with a system drive that is full: nothing is installed', async () => {
    await withHost({}, async ({ rig, member: { host } }) => {
      await planned(rig);
      await host.change((model) => {
        for (const disk of model.disks) disk.free = 20_000_000;
      });
      const ended = await apply(rig);
      assert.equal(ended.code, 4, words(ended));
      assert.match(
        ending(ended),
        /the system drive has 19 MiB free, no update can do with less than \d+ MiB\s+hint: fix this on the host/,
      );
      assert.deepEqual(host.model().history, []);
    });
  });

  test('with a job directory on a full disk: nothing is installed', { skip: skipWithoutMount() }, async () => {
    await withHost({}, async ({ rig, member: { host } }) => {
      await planned(rig);
      using _disk = fill(join(host.directory, 'c', 'Program Files'));
      const ended = await apply(rig);
      assert.equal(ended.code, 4, words(ended));
      assert.match(ending(ended), /the job cannot be written to .*jobs: No space left on device/);
      assert.match(ending(ended), /hint: free space on that disk/);
      assert.deepEqual(host.model().history, []);
    });
  });

  test('with a password that was changed: it is offered once, and never again', async () => {
    await withHost({}, async ({ rig, fleet, member: { server } }) => {
      await planned(rig);
      await rig.write(
        'i.yaml',
        `all:\n  children:\n${fleet.inventory.replace(/ansible_password: .*/, 'ansible_password: old')}`,
      );
      const ended = await apply(rig);
      assert.equal(ended.code, 12, words(ended));
      assert.match(ending(ended), /refuses the ntlm login of Administrator[\s\S]*hint: check user/);
      assert.equal(server.stats.failedLogins.length, 1);
    });
  });

  test('and is gone for good in its reboot: it is lost, with the way back', async () => {
    const reboot = { delayShare: 0, shutdownMs: 0, offMs: 3_600_000, bootingMs: 0, logonUiMs: 0, servicingMs: 0 };
    await withHost({ reboot }, async ({ rig, member: { host } }) => {
      await planned(rig);
      const ended = await apply(rig);
      assert.equal(host.state, 'off');
      assert.match(ending(ended), /^lost .*win01/);
      assert.match(ending(ended), /did not come back within \S+ of its reboot \(.*port \d+/);
      assert.match(ending(ended), /hint: check its console; when it is back: .* run resume [0-9A-Z]{26}/);
      assert.equal(ended.code, 4, words(ended));
    });
  });
});
