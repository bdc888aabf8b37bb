import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  readClaim,
  readDisks,
  readFacts,
  readHealth,
  readReboot,
  readRunning,
} from '../../../src/managers/family/posix-facts.ts';

const base: readonly (readonly [string, string])[] = [
  ['uname', 'Linux\n6.1.0-31-amd64\nx86_64\nweb01\n'],
  ['clock', '1700000010\n99\n'],
];

function sections(over: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map([...base, ...Object.entries(over)]);
}

describe('the facts of a host', () => {
  test('take only text in the form of an id for one', () => {
    const good = readFacts(
      sections({ 'machine-id': `${'ab'.repeat(16)}\n`, 'boot-id': '01234567-89AB-cdef-0123-456789abcdef\n' }),
      0,
    );
    assert.equal(good.machineId, 'ab'.repeat(16));
    assert.equal(good.bootId, '01234567-89ab-cdef-0123-456789abcdef');
    const bad = readFacts(sections({ 'machine-id': 'uninitialized\n', 'boot-id': 'No such file\n' }), 0);
    assert.equal(bad.machineId, undefined);
    assert.equal(bad.bootId, undefined);
  });

  test('contain the error of its clock', () => {
    assert.equal(readFacts(sections({}), 1_700_000_000_000).clockSkewMs, 10_000);
  });

  const machines: readonly [string, boolean, string | undefined][] = [
    ['vm kvm\ncontainer none\n', false, 'kvm'],
    ['vm none\ncontainer none\n', false, 'none'],
    ['vm kvm\ncontainer lxc\n', true, 'lxc'],
    ['container oci\n', true, 'oci'],
    ['', false, undefined],
  ];
  for (const [text, isContainer, word] of machines) {
    test(`read ${JSON.stringify(text)} as ${isContainer ? 'a container' : 'a machine'}`, () => {
      const facts = readFacts(sections({ virtualization: text }), 0);
      assert.equal(facts.isContainer, isContainer);
      assert.equal(facts.virtualization, word);
    });
  }

  test('of a host that does not report its system are an error', () => {
    assert.throws(() => readFacts(new Map(), 0), { code: 'parse' });
  });
});

describe('the reboot state', () => {
  function reboot(over: Readonly<Record<string, string>>): ReturnType<typeof readReboot> {
    const all = sections(over);
    return readReboot(all, readFacts(all, 0));
  }

  test('is "no" where the newest kernel runs', () => {
    assert.deepEqual(reboot({ kernels: '6.1.0-9-amd64\n6.1.0-31-amd64\n' }), {
      needed: 'no',
      reasons: [],
      runningKernel: '6.1.0-31-amd64',
      installedKernel: '6.1.0-31-amd64',
    });
  });

  test('is "yes" where a newer kernel is installed, compared by version and not by letters', () => {
    const { needed, reasons, installedKernel } = reboot({
      kernels: '6.1.0-100-amd64\n6.1.0-31-amd64\n6.1.0-9-amd64\n',
    });
    assert.equal(needed, 'yes');
    assert.equal(installedKernel, '6.1.0-100-amd64');
    assert.deepEqual(reasons, ['kernel 6.1.0-100-amd64 is installed, 6.1.0-31-amd64 runs']);
  });

  test('is "yes" where the host asks for it, with the packages that do', () => {
    assert.deepEqual(reboot({ 'reboot-required': 'required\nlibc6\ndbus\n' }).reasons, ['asked for by libc6, dbus']);
    assert.deepEqual(reboot({ 'reboot-required': 'required\n' }).reasons, ['the host asks for it']);
  });

  test('of a container ignores kernels', () => {
    const { needed, installedKernel } = reboot({ kernels: '6.1.0-100-amd64\n', virtualization: 'container lxc\n' });
    assert.equal(needed, 'no');
    assert.equal(installedKernel, undefined);
  });
});

describe('the health of a host', () => {
  test('lists who listens, once each, without ephemeral ports and scopes', () => {
    const listeners = [
      'tcp LISTEN 0      128          0.0.0.0:22        0.0.0.0:* users:(("sshd",pid=1,fd=3))',
      'tcp LISTEN 0      128          0.0.0.0:22        0.0.0.0:* users:(("sshd",pid=9,fd=3))',
      'tcp LISTEN 0      128             [::]:22           [::]:*',
      'udp UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*',
      'udp UNCONN 0      0            0.0.0.0:45000     0.0.0.0:*',
      'tcp LISTEN 0      128        127.0.0.1:33000     0.0.0.0:*',
    ].join('\n');
    const known = (range: string): readonly string[] =>
      readHealth(sections({ listeners, ephemeral: range }), true).listeners;
    assert.deepEqual(known('32768\t60999\n'), ['tcp 0.0.0.0:22 sshd', 'tcp [::]:22', 'udp 127.0.0.53:53']);
    assert.ok(known('40000 50000\n').includes('tcp 127.0.0.1:33000'));
  });

  test('reads the kernel’s own table where there is no ss', () => {
    const listeners = 'hex tcp 0100007F:0016\nhex tcp6 00000000000000000000000000000000:0050\nhex udp 00000000:0044\n';
    const { listeners: read } = readHealth(sections({ listeners }), true);
    assert.deepEqual(read, ['tcp 127.0.0.1:22', 'tcp [::]:80', 'udp 0.0.0.0:68']);
  });

  test('names processes that run replaced code, with their unit where they have one', () => {
    const { staleProcesses, staleKnown } = readHealth(
      sections({ stale: '12\tsshd\tssh.service\n13\tbash\t\nx\ty\t\n' }),
      false,
    );
    assert.deepEqual(staleProcesses, [
      { pid: 12, name: 'sshd', unit: 'ssh.service' },
      { pid: 13, name: 'bash' },
    ]);
    assert.equal(staleKnown, false);
  });
});

describe('what else is reported of a host', () => {
  test('its disks in bytes, with their inodes where those are counted', () => {
    const disks = '/dev/vda1 1000 900 100 90% /\ntmpfs 10 0 10 0% /tmp\n';
    const inodes = '/dev/vda1 50 20 30 40% /\ntmpfs 0 0 0 - /tmp\n';
    assert.deepEqual(readDisks(sections({ disks, inodes })), [
      { mount: '/', freeBytes: 102_400, freeInodes: 30 },
      { mount: '/tmp', freeBytes: 10_240 },
    ]);
  });

  test('running package managers, and the locks they hold', () => {
    const running = '12\tapt-get\t/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock \n13\tdpkg\t\n';
    assert.deepEqual(readRunning(sections({ running })), [
      { pid: 12, name: 'apt-get', holds: ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock'] },
      { pid: 13, name: 'dpkg' },
    ]);
  });

  test('the run that has it', () => {
    assert.deepEqual(readClaim(sections({ claim: 'R1 r1-a-1 jump 7\n' })), {
      run: 'R1',
      job: 'r1-a-1',
      controller: 'jump',
    });
    assert.equal(readClaim(sections({ claim: '\n' })), undefined);
  });
});

describe('what people run under their own accounts', () => {
  const ss = [
    'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3)) ino:1 sk:1 cgroup:/ <->',
    'tcp LISTEN 0 128 0.0.0.0:8080 0.0.0.0:* users:(("nginx",pid=2,fd=3)) uid:1001 ino:2 sk:2 <->',
    'tcp LISTEN 0 128 0.0.0.0:8081 0.0.0.0:* users:(("x")) uid:0 ((",pid=3,fd=3)) uid:1001 ino:3 sk:3 <->',
    'tcp LISTEN 0 128 0.0.0.0:9000 0.0.0.0:* users:(("app",pid=4,fd=3)) uid:1002 ino:4 sk:4 <->',
    'tcp LISTEN 0 128 0.0.0.0:53 0.0.0.0:* users:(("dns",pid=5,fd=3)) uid:61999 ino:5 sk:5 <->',
  ].join('\n');

  test('is distinguished from the system, its services and the accounts they run under', () => {
    const answer = sections({ listeners: `${ss}\n`, 'service-users': 'people 1000\nservice 1002\n' });
    const { listeners, personalListeners } = readHealth(answer, true);
    assert.equal(listeners.length, 5);
    assert.deepEqual(personalListeners, ['tcp 0.0.0.0:8080 nginx', 'tcp 0.0.0.0:8081 x']);
  });

  test('is found in /proc/net too, and for processes with replaced code', () => {
    const hex = 'hex tcp 00000000:1F90 uid:1001\nhex tcp 00000000:0016 uid:0\n';
    const stale = '7\tdpkg\tcron.service\t1001\n8\tnginx\tnginx.service\t33\n';
    const health = readHealth(sections({ listeners: hex, stale }), true);
    assert.deepEqual(health.personalListeners, ['tcp 0.0.0.0:8080']);
    assert.deepEqual(
      health.staleProcesses.map((item) => item.isPersonal ?? false),
      [true, false],
    );
  });
});
