import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { nativeArchitecture } from './mirror.ts';
import { Scenario } from './scenario.ts';

const quick = { '/etc/fettle-lab/slow-step': '0.2\n' };

describe('the traps of real fleets', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    const kernel = `linux-image-${await nativeArchitecture()}`;
    const machineId = 'c0ffee00c0ffee00c0ffee00c0ffee00';
    lab = await startLab({
      name: 'traps',
      hosts: [
        { name: 'jump', packages: ['fettle-tool'], groups: ['far'] },
        { name: 'behind', packages: ['fettle-tool'], groups: ['far'] },
        { name: 'clone1', packages: ['fettle-app'], machineId, groups: ['clones'], vars: { patch_cluster: 'pair' } },
        { name: 'clone2', packages: ['fettle-app'], machineId, groups: ['clones'], vars: { patch_cluster: 'pair' } },
        { name: 'liar', packages: ['fettle-app'], groups: ['mirror'] },
        { name: 'victim', packages: ['fettle-app'], groups: ['mirror'] },
        { name: 'shy', packages: [kernel], vars: { patch_reboot: 'never' } },
        { name: 'slow', packages: ['fettle-slow'], files: quick },
        { name: 'slow2', packages: ['fettle-slow'], files: quick },
        { name: 'sys', flavour: 'systemd', packages: ['fettle-lossy', 'fettle-crash'] },
        { name: 'idle', packages: ['fettle-app'], vars: { patch_enabled: false, patch_disabled_reason: 'CHG-9' } },
      ],
    });
    scenario = await Scenario.start(lab, {});
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  async function patch(select: string, playbook: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await scenario.write({ targets: { select }, rollout: { waves: ['rest'] }, ...playbook });
    await scenario.makePlan();
  }

  test('two runs on one host: the second leaves it alone and names the first, whichever ledger it has', async () => {
    await patch('slow');
    // Long enough for two others to come meanwhile, on a busy machine too.
    await lab.tell('slow', 'echo 4 >/etc/fettle-lab/slow-step');
    const first = scenario.spawn(['apply', scenario.plan, '-vv']);
    await first.waitForText('step 2 of 20');
    await lab.tell('slow', 'echo 0.2 >/etc/fettle-lab/slow-step');
    const shared = await scenario.fettle(['apply', scenario.plan], 11);
    assert.match(shared.stderr, /slow[\s\S]*run [0-9A-Z]{26}/);
    const env = { FETTLE_LEDGER: join(lab.stateDir, 'other.db') };
    const approved = createHash('sha256')
      .update(await readFile(scenario.plan))
      .digest('hex');
    const foreign = await scenario.fettle(['apply', scenario.plan, '--plan-hash', approved], 11, { env });
    assert.match(foreign.stderr, /another run is working on the host|is working on it/);
    const { code, stderr } = await first.done();
    assert.equal(code, 0, stderr);
    assert.equal(await lab.postinstRuns('slow', 'fettle-slow'), 1);
  });

  test('Ctrl-C once lets the host in flight finish and starts no other; resume does the rest', async () => {
    await lab.tell('slow', 'apt-get -qq -y --allow-downgrades install fettle-slow=1.0-1 </dev/null >/dev/null 2>&1');
    await patch('slow,slow2', { rollout: { waves: [1, 'rest'] } });
    const runs = await lab.postinstRuns('slow', 'fettle-slow');
    const fettle = scenario.spawn(['apply', scenario.plan, '-vv']);
    await fettle.waitForText('step 2 of 20');
    fettle.kill('SIGINT');
    const { code, stderr } = await fettle.done();
    assert.equal(code, 130, stderr);
    assert.match(stderr, /no new host is started/);
    assert.equal(await lab.packageState('slow', 'fettle-slow'), 'ii 2.0-1');
    assert.equal(await lab.packageState('slow2', 'fettle-slow'), 'ii 1.0-1');
    await scenario.fettle(['run', 'resume']);
    assert.equal(await lab.packageState('slow2', 'fettle-slow'), 'ii 2.0-1');
    assert.equal(await lab.postinstRuns('slow', 'fettle-slow'), runs + 1);
    assert.equal(await lab.postinstRuns('slow2', 'fettle-slow'), 1);
  });

  test('patch_reboot never wins over the playbook', async () => {
    const before = await lab.host('shy').bootId();
    await patch('shy');
    const { stderr } = await scenario.fettle(['apply', scenario.plan]);
    assert.match(stderr, /pending-reboot +shy/);
    assert.equal(await lab.host('shy').bootId(), before);
    const reboots = await scenario.json<{ pending: { host: string }[] }>(['report', 'reboots']);
    assert.deepEqual(
      reboots.pending.map(({ host }) => host),
      ['shy'],
    );
  });

  test('clones are reported and both patched, never at the same time in one cluster', async () => {
    await patch('clones');
    const { stderr } = await scenario.fettle(['apply', scenario.plan]);
    assert.match(stderr, /machine id/);
    const ends = stderr.split('\n').filter((line) => /^\[clone\d\] (install by apt$|verified)/.test(line));
    assert.equal(ends.length, 4);
    assert.equal(ends[0]?.slice(0, 8), ends[1]?.slice(0, 8), ends.join('\n'));
    for (const host of ['clone1', 'clone2'])
      assert.equal(await lab.packageState(host, 'fettle-app'), 'ii 1.0-1+deb12u1');
  });

  test('a host that claims to be another one prevents no host from being patched', async () => {
    const [machineId, bootId] = [await lab.tell('victim', 'cat /etc/machine-id'), await lab.host('victim').bootId()];
    const bootIdFile = '/proc/sys/kernel/random/boot_id';
    await lab.tell(
      'liar',
      `echo ${machineId.trim()} >/etc/machine-id; echo ${bootId} >/root/boot_id; mount --bind /root/boot_id ${bootIdFile}`,
    );
    assert.equal((await lab.tell('liar', `cat ${bootIdFile}`)).trim(), bootId);
    await scenario.write({ targets: { select: 'mirror' }, rollout: { waves: ['rest'] } });
    const { stdout } = await scenario.makePlan();
    assert.match(stdout, /same machine id \w+: liar, victim are not proven to be one machine/);
    assert.doesNotMatch(stdout, /duplicate/);
    await scenario.fettle(['apply', scenario.plan]);
    for (const host of ['liar', 'victim']) {
      assert.equal(await lab.packageState(host, 'fettle-app'), 'ii 1.0-1+deb12u1');
    }
  });

  test('a host behind a jump host is reached through it, and the jump host goes last', async () => {
    const config = join(lab.stateDir, 'ssh_config');
    const address = (name: string): string => lab.host(name).address;
    await writeFile(
      config,
      `Host *\n  User patch\n  IdentityFile ${lab.keyPath}\n  UserKnownHostsFile ${lab.knownHostsPath}\n  GlobalKnownHostsFile /dev/null\n`,
    );
    const text = await readFile(lab.inventoryPath, 'utf8');
    const through = `ansible_host: ${address('behind')}\n      ansible_ssh_common_args: "-F ${config} -J ${address('jump')}"`;
    await writeFile(lab.inventoryPath, text.replace(`ansible_host: ${address('behind')}`, through));
    await patch('far', { rollout: { waves: ['rest'], concurrency: 5 } });
    const { stderr } = await scenario.fettle(['apply', scenario.plan]);
    assert.ok(stderr.indexOf('[behind] verified') < stderr.indexOf('[jump] install'), stderr);
    await writeFile(lab.inventoryPath, text);
  });

  test('an update that takes a listener away or fails a unit makes the host unhealthy', async () => {
    await patch('sys');
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 6);
    assert.match(stderr, /unhealthy +sys/);
    assert.match(stderr, /7082/);
    assert.match(stderr, /fettle-crash\.service failed/);
  });

  test('a host that is disabled takes no part, with the reason', async () => {
    await scenario.write({ targets: { select: 'idle' } });
    const { stdout } = await scenario.makePlan();
    assert.match(stdout, /idle[\s\S]*CHG-9/);
    assert.equal(await lab.packageState('idle', 'fettle-app'), 'ii 1.0-1');
  });

  test('hooks run around the host, get its name, and one that fails before keeps it untouched', async () => {
    const log = join(lab.stateDir, 'hooks.log');
    const say = (word: string): string[] => ['sh', '-c', `echo ${word} "$1" >>"$2"`, 'sh', '{{host}}', log];
    await lab.tell('clone1', 'apt-get -qq -y --allow-downgrades install fettle-app=1.0-1 </dev/null >/dev/null 2>&1');
    const hooks = {
      before_host: [
        { name: 'drain', local: say('drain'), timeout: '10s' },
        { name: 'gate', remote: 'test -e /run/gate' },
      ],
      after_host: [{ name: 'undrain', local: say('undrain'), runs: 'always' }],
    };
    await patch('clone1', { hooks });
    await scenario.fettle(['apply', scenario.plan], 4);
    assert.equal(await readFile(log, 'utf8'), 'drain clone1\nundrain clone1\n');
    assert.equal(await lab.packageState('clone1', 'fettle-app'), 'ii 1.0-1');
    await lab.tell('clone1', 'touch /run/gate');
    await scenario.fettle(['run', 'resume']);
    assert.equal(await lab.packageState('clone1', 'fettle-app'), 'ii 1.0-1+deb12u1');
  });

  test('fettle reboot proves the reboot', async () => {
    const before = await lab.host('jump').bootId();
    await scenario.fettle(['reboot', 'jump', '--force', '--yes']);
    assert.notEqual(await lab.host('jump').bootId(), before);
    assert.deepEqual(await scenario.verdicts(), { jump: 'verified' });
  });

  test('a host that does not come back from a reboot is lost, with the limit that passed', async () => {
    await lab.tell('behind', 'apt-get -qq -y --allow-downgrades install fettle-tool=1.4-1 </dev/null >/dev/null 2>&1');
    await patch('behind', { reboot: { mode: 'always', go_down: '20s', come_back: '6s' } });
    await lab.host('behind').onReboot({ returns: false });
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(stderr, /lost +behind/);
    assert.match(stderr, /did not come back within 6\.0s of its reboot/);
    await lab.host('behind').powerOn();
    await scenario.fettle(['run', 'resume']);
    assert.deepEqual(await scenario.verdicts(), { behind: 'verified' });
  });
});
