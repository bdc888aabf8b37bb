import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { startLab } from './lab.ts';
import type { LabHost } from './lab-host.ts';
import type { Lab } from './lab.ts';
import { nativeArchitecture } from './mirror.ts';
import { labPassword, placesOf } from './places.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const simulate =
  "apt-get -qq -s upgrade --with-new-pkgs | sed -n 's/^Inst \\([^ ]*\\) .*(\\([^ ]*\\) .*/\\1 \\2/p' | sort";

const upgrade =
  'DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Options::=--force-confold upgrade --with-new-pkgs </dev/null';

/** Waits until the host's session with this number runs its command. */
function begun(host: LabHost, number: number): Promise<void> {
  const look = `test -e /root/begun-${number}`;
  return eventually(async () => (await host.inside(look)).code === 0, `the command of session ${number} has begun`);
}

describe('a lab', () => {
  let lab: Lab;
  let kernel: string;

  before(async () => {
    kernel = `linux-image-${await nativeArchitecture()}`;
    const quick = { '/etc/fettle-lab/slow-step': '0.02\n' };
    lab = await startLab({
      name: 'self',
      vars: { patch_owner: 'lab' },
      hosts: [
        { name: 'wide', packages: ['fettle-app', 'fettle-conf', 'fettle-held', 'fettle-grow'], groups: ['web'] },
        { name: 'late', packages: ['fettle-phased', 'fettle-gradual', 'fettle-hidden'], metadataAgeMs: 86_400_000 },
        { name: 'kern', packages: [kernel], uptimeSec: 1_000_000 },
        { name: 'slow', packages: ['fettle-slow', 'fettle-reader', 'fettle-noisy'], files: quick },
        { name: 'weak', packages: ['fettle-fragile'], sudo: 'password', groups: ['web'] },
        { name: 'odd', packages: ['fettle-clash', 'fettle-victim', 'fettle-tool'], diskMib: 64 },
        { name: 'sys', flavour: 'systemd', packages: ['fettle-daemon', 'fettle-lossy', 'fettle-crash', kernel] },
      ],
    });
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test('gives every host a name, a machine id, a boot id and an uptime of its own', async () => {
    const told = await Promise.all(
      lab.hosts.map((host) => lab.tell(host.name, 'hostname; cat /etc/machine-id /proc/sys/kernel/random/boot_id')),
    );
    const facts = told.map((text) => text.split('\n'));
    assert.deepEqual(
      facts.map(([name]) => name),
      lab.hosts.map((host) => host.name),
    );
    for (const column of [1, 2]) assert.equal(new Set(facts.map((row) => row[column])).size, lab.hosts.length);
    for (const [index, host] of lab.hosts.entries()) assert.equal(facts[index]?.[2], await host.bootId());
    for (const row of facts) assert.match(row[2] ?? '', uuid);
    const uptimeSec = Number(await lab.tell('kern', 'cut -d . -f 1 /proc/uptime'));
    assert.ok(uptimeSec >= 1_000_000 && uptimeSec < 1_001_000, `uptime ${uptimeSec}`);
  });

  test('shows apt the updates that its archive holds, held and gradual ones kept back', async () => {
    assert.equal(
      await lab.tell('wide', simulate),
      'fettle-app 1.0-1+deb12u1\nfettle-conf 1.1-1\nfettle-grow 2.0-1\nfettle-grow-data 2.0-1\nfettle-lib 1.0-1+deb12u1',
    );
    assert.equal(await lab.tell('late', simulate), 'fettle-hidden 1.1-1\nfettle-phased 1.1-1');
    assert.equal(await lab.tell('odd', simulate), 'fettle-tool 1.4-2');
    assert.match(await lab.tell('wide', 'apt-get -s upgrade --with-new-pkgs'), /Inst fettle-lib .*Debian-Security:/);
    assert.match(await lab.tell('odd', 'apt-get -s dist-upgrade'), /^Remv fettle-victim /m);
    const ageSec = Number(await lab.tell('late', 'echo $(($(date +%s) - $(stat -c %Y /var/lib/apt/lists)))'));
    assert.ok(ageSec >= 86_400, `age ${ageSec}`);
  });

  test('upgrades for real, keeps a changed conffile, and counts each postinst', async () => {
    await lab.tell('wide', upgrade);
    assert.equal(await lab.packageState('wide', 'fettle-lib'), 'ii 1.0-1+deb12u1');
    assert.equal(await lab.packageState('wide', 'fettle-grow-data'), 'ii 2.0-1');
    assert.equal(await lab.packageState('wide', 'fettle-held'), 'hi 1.0-1');
    assert.equal(await lab.packageState('wide', 'fettle-tool'), undefined);
    assert.match(await lab.tell('wide', 'cat /etc/fettle-conf.conf'), /level = 1\nlocal = yes$/);
    assert.equal(await lab.postinstRuns('wide', 'fettle-lib'), 1);
    assert.equal(await lab.postinstRuns('wide', 'fettle-held'), 0);
    assert.match(await lab.tell('wide', 'apt-mark showauto'), /^fettle-lib$/m);
  });

  test('reboots into the new kernel with a new boot id', async () => {
    const before = await lab.host('kern').bootId();
    assert.match(await lab.tell('kern', 'uname -r'), /^6\.1\.0-31-/);
    await lab.tell('kern', upgrade);
    assert.match(await lab.tell('kern', 'cat /run/reboot-required.pkgs; uname -r'), /6\.1\.0-32-\w+\n6\.1\.0-31-/);
    await lab.ssh('kern', 'reboot');
    await lab.host('kern').waitForReboot(before);
    assert.match((await lab.ssh('kern', 'ls /run/reboot-required')).stderr, /No such file/);
    const [release = '', bootId = ''] = (await lab.tell('kern', 'uname -r; cat /proc/sys/kernel/random/boot_id')).split(
      '\n',
    );
    assert.match(release, /^6\.1\.0-32-/);
    assert.match(bootId, uuid);
    assert.notEqual(bootId, before);
    assert.ok(Number(await lab.tell('kern', 'cut -d . -f 1 /proc/uptime')) < 60);
  });

  test('runs a host under systemd, through an update that loses a listener and fails a unit, and a reboot', async () => {
    assert.equal(await lab.tell('sys', 'cat /proc/1/comm; systemctl is-system-running'), 'systemd\nrunning');
    assert.match(await lab.tell('sys', 'ss -Hltn'), /(?=[\s\S]*:7081 )(?=[\s\S]*:7082 )/);
    await lab.tell('sys', upgrade);
    let listeners = '';
    await eventually(async () => {
      listeners = await lab.tell('sys', 'ss -Hltn');
      return listeners.includes(':7081 ');
    }, 'the daemon listens again');
    assert.doesNotMatch(listeners, /:7082 /);
    assert.equal(await lab.tell('sys', 'systemctl is-active fettle-lossy'), 'active');
    assert.match(await lab.tell('sys', 'systemctl list-units --failed --plain --no-legend'), /^fettle-crash\.service /);
    const before = await lab.host('sys').bootId();
    const interrupted = lab.host('sys').inside('systemctl reboot; sleep 1000');
    await lab.host('sys').waitForReboot(before);
    assert.notEqual((await interrupted).code, 0, 'a command inside the host ends with it');
    assert.match(await lab.tell('sys', 'uname -r; systemd-detect-virt'), /^6\.1\.0-32-\w+\nkvm$/);
  });

  test('keeps a package broken until its host is repaired', async () => {
    assert.notEqual((await lab.ssh('weak', upgrade)).code, 0);
    assert.equal(await lab.packageState('weak', 'fettle-fragile'), 'iF 2.0-1');
    await lab.tell('weak', 'rm /etc/fettle-lab/fragile-fails && dpkg --configure -a');
    assert.equal(await lab.packageState('weak', 'fettle-fragile'), 'ii 2.0-1');
    assert.equal(await lab.postinstRuns('weak', 'fettle-fragile', '2.0-1'), 2);
  });

  test('runs slow, talkative and reading package scripts', async () => {
    const { code, stdout } = await lab.ssh('slow', upgrade);
    assert.equal(code, 0);
    assert.ok(stdout.length > 5 * 1024 * 1024, `${stdout.length} bytes`);
    assert.match(stdout, /fettle-slow: step 20 of 20/);
    assert.equal(await lab.tell('slow', 'cat /var/lib/fettle-lab/reader.log'), 'end of input');
  });

  test('asks for the password of sudo where an option requests it', async () => {
    assert.equal((await lab.ssh('wide', 'sudo -n id -u', { user: 'patch' })).stdout, '0\n');
    assert.match((await lab.ssh('weak', 'sudo -n id -u', { user: 'patch' })).stderr, /password is required/);
    const input = `${labPassword}\n`;
    assert.equal((await lab.ssh('weak', 'sudo -S -p "" id -u', { user: 'patch', input })).stdout, '0\n');
    assert.match((await lab.ssh('wide', 'sudo -n id -u', { user: 'guest' })).stderr, /password is required/);
  });

  test('takes the power away and gives it back', async () => {
    const host = lab.host('late');
    const before = await host.bootId();
    await lab.tell('late', 'echo kept >/root/kept && sync');
    await host.powerOff();
    assert.equal((await host.status()).state, 'off');
    assert.equal((await lab.ssh('late', 'true', { connectTimeoutSec: 1 })).code, 255);
    await host.powerOn();
    assert.equal(await lab.tell('late', 'cat /root/kept'), 'kept');
    assert.notEqual(await lab.tell('late', 'cat /proc/sys/kernel/random/boot_id'), before);
  });

  test('powers off from inside and stays off', async () => {
    const host = lab.host('late');
    await lab.ssh('late', 'poweroff');
    await eventually(async () => (await host.status()).state === 'off', 'the host is off');
    await host.powerOn();
  });

  for (const mode of ['link', 'silent', 'to-host', 'from-host'] as const) {
    test(`loses a host's packets (${mode}) and finds it again, running on`, async () => {
      const host = lab.host('wide');
      const before = await host.bootId();
      await host.cutNetwork(mode);
      const ping = ['sh', '-c', `exec 3<>/dev/tcp/${host.address}/22`];
      assert.notEqual((await lab.exec(['timeout', '1', 'bash', ...ping.slice(1)])).code, 0);
      assert.equal((await host.inside('hostname')).stdout, 'wide\n');
      await host.restoreNetwork();
      assert.equal(await lab.tell('wide', 'cat /proc/sys/kernel/random/boot_id'), before);
    });
  }

  test('restores a network by itself after the time it was cut for', async () => {
    await lab.host('wide').cutNetwork('silent', 300);
    assert.equal((await lab.host('wide').status()).cut, 'silent');
    assert.equal(await lab.tell('wide', 'hostname'), 'wide');
    assert.equal((await lab.host('wide').status()).cut, undefined);
  });

  test('can refuse connections while it reboots, come back with another host key, or not at all', async () => {
    const host = lab.host('odd');
    const before = await host.bootId();
    await host.onReboot({ downMs: 1_500, answers: 'refused', newHostKey: true });
    await lab.ssh('odd', 'reboot -f');
    const { stderr } = await lab.ssh('odd', 'true');
    assert.match(stderr, /refused/);
    await host.waitForReboot(before);
    assert.equal(await lab.tell('odd', 'hostname'), 'odd');
    const [old, now] = await Promise.all(
      [lab.knownHostsPath, placesOf(lab.name).trueKnownHostsFile].map((path) => readFile(path, 'utf8')),
    );
    assert.notEqual(old, now);
    await host.changeHostKey();
    assert.equal(await lab.tell('odd', 'hostname'), 'odd');
    assert.notEqual(await readFile(placesOf(lab.name).trueKnownHostsFile, 'utf8'), now);
    await host.onReboot({ returns: false });
    await lab.ssh('odd', 'reboot -f');
    assert.equal((await lab.ssh('odd', 'true', { connectTimeoutSec: 1 })).code, 255);
    assert.equal((await host.status()).state, 'off');
    await host.onReboot({});
    await host.powerOn();
  });

  test('stops sshd without ending its sessions, ends sessions without the listener, and starts it again', async () => {
    for (const name of ['wide', 'sys']) {
      const host = lab.host(name);
      const session = lab.ssh(name, 'touch /root/begun-1; until [ -e /root/gate ]; do sleep 0.1; done; echo went on');
      await begun(host, 1);
      await host.stopSshd();
      assert.match((await lab.ssh(name, 'true')).stderr, /refused/);
      await host.inside('touch /root/gate');
      assert.equal((await session).stdout, 'went on\n');
      await host.startSshd();
      await host.waitUntilStarted();
      const cut = lab.ssh(name, 'touch /root/begun-2; sleep 600');
      await begun(host, 2);
      await host.killSshSessions();
      assert.equal((await cut).code, 255);
      assert.equal(await lab.tell(name, 'hostname'), name);
    }
  });

  test('holds the package lock in the name of another, and fills a disk', async () => {
    const host = lab.host('odd');
    const release = await host.holdLock();
    assert.match((await lab.ssh('odd', `${upgrade} 2>&1`)).stdout, /held by process \d+ \(unattended-upgr\)/);
    await release();
    await host.fillDisk(64 * 1024);
    assert.match((await lab.ssh('odd', 'head -c 1000000 /dev/zero >/root/big')).stderr, /No space left/);
    await lab.tell('odd', 'rm /root/big');
    await host.emptyDisk();
    await lab.tell('odd', upgrade);
    assert.equal(await lab.packageState('odd', 'fettle-tool'), 'ii 1.4-2');
  });

  test('publishes and removes versions, and takes its archive away; another lab does not notice', async () => {
    await using other = await startLab({ name: 'other', hosts: [{ name: 'wide', packages: ['fettle-tool'] }] });
    const next = { name: 'fettle-lib', version: '1.0-1+deb12u2', suite: 'security', architecture: 'native' } as const;
    await lab.repo.publish(next);
    await lab.repo.remove('fettle-app', { version: '1.0-1+deb12u1' });
    assert.deepEqual(lab.repo.versionsOf('fettle-app'), [{ version: '1.0-1', suite: 'stable' }]);
    assert.doesNotMatch(await lab.tell('wide', simulate), /fettle-lib/, 'before apt-get update nothing changes');
    await lab.tell('wide', 'apt-get -qq update');
    assert.match(await lab.tell('wide', simulate), /^fettle-lib 1\.0-1\+deb12u2$/m);
    assert.doesNotMatch(await lab.tell('wide', 'apt-cache policy fettle-app'), /copy:.*security/);
    await other.tell('wide', 'apt-get -qq update');
    assert.doesNotMatch(await other.tell('wide', 'apt-cache policy fettle-lib'), /deb12u2/);
    await lab.repo.unpublish();
    assert.match((await lab.ssh('wide', 'apt-get update 2>&1')).stdout, /^(E|Err|W):/m);
    await lab.repo.republish();
    await lab.tell('wide', 'apt-get -qq update && test -z "$(apt-get -qq update 2>&1)"');
  });

  test('writes an inventory that names every host, its address and its account', async () => {
    const inventory: unknown = parse(await readFile(lab.inventoryPath, 'utf8'));
    const weak = { ansible_host: lab.host('weak').address, ansible_become_password: labPassword };
    assert.partialDeepStrictEqual(inventory, {
      all: {
        vars: {
          ansible_user: 'patch',
          ansible_become: true,
          ansible_ssh_private_key_file: lab.keyPath,
          patch_owner: 'lab',
        },
        hosts: { weak },
        children: { web: { hosts: { wide: null, weak: null } } },
      },
    });
  });

  test('runs the controller inside its network, with a terminal or without, to be killed at will', async () => {
    const address = lab.host('wide').address;
    const said = await lab.exec(['sh', '-c', `ip -o route get ${address}; test -t 1 || echo no terminal`]);
    assert.match(said.stdout, /dev br0[\s\S]*no terminal/);
    assert.match((await lab.exec(['sh', '-c', 'test -t 1 && echo terminal'], { tty: true })).stdout, /terminal/);
    assert.match((await lab.run(['version'])).stdout, /\d+\.\d+\.\d+/);
    const child = lab.spawn(['--help']);
    child.kill('SIGKILL');
    assert.equal((await child.done()).code, 137);
  });
});
