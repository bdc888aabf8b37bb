import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Plan } from '../../src/domain/plan.ts';
import { monthOfUpdates } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import type { WindowsModel, WindowsUpdate } from '../support/windows/model.ts';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { nativeArchitecture } from './mirror.ts';
import { Scenario } from './scenario.ts';
import { joinWindows } from './windows.ts';
import type { WindowsMembers } from './windows.ts';

const quickly = { delayShare: 0.02, shutdownMs: 0, offMs: 1_000, bootingMs: 500, logonUiMs: 0, servicingMs: 0 };
const settings = {
  install: { timeout: '3m' },
  reboot: { mode: 'if-needed' },
  verify: { retries: 2, retry_delay: '1s' },
};
const cumulative = '5065432';
/** What fettle says while the cumulative update goes in. */
const installing = { win01: /\[win01\] installing KB5065432/, win02: /\[win02\] installing KB5065432/ };

/** The month's updates; the cumulative one asks for a reboot and takes `seconds`, or is not offered. */
function month(seconds: number | undefined): WindowsUpdate[] {
  return monthOfUpdates()
    .map((update) => (update.kb.includes(cumulative) ? { ...update, installSeconds: seconds ?? 0 } : update))
    .filter((update) => seconds !== undefined || !update.kb.includes(cumulative));
}

function isWaiting({ updates }: WindowsModel, kb: string): boolean {
  return updates.some((update) => update.kb.includes(kb) && !update.isInstalled && !update.isWaitingForReboot);
}

describe('five Debian and five Windows hosts in the same waves', { skip: skipWithoutDotnet }, () => {
  const debian = ['web01', 'web02', 'web03', 'web04', 'web05'];
  const rebooted = ['web01', 'win01', 'win02', 'win03'];
  let lab: Lab;
  let windows: WindowsMembers;
  let scenario: Scenario;
  let plan: Plan;
  const boots = new Map<string, string | number>();

  async function bootOf(name: string): Promise<string | number> {
    return windows.names.includes(name) ? windows.model(name).boot.number : lab.host(name).bootId();
  }

  before(async () => {
    const kernel = `linux-image-${await nativeArchitecture()}`;
    lab = await startLab({
      name: 'mixed',
      hosts: debian.map((name, index) => ({
        name,
        flavour: index === 4 ? 'systemd' : 'plain',
        packages: index === 0 ? ['fettle-app', kernel] : index === 1 ? ['fettle-hang'] : ['fettle-app', 'fettle-tool'],
      })),
    });
    windows = await joinWindows(
      lab,
      [1, 12, 1, undefined, undefined].map((seconds, index) => ({
        name: `win0${index + 1}`,
        model: { updates: month(seconds), reboot: quickly },
      })),
    );
    scenario = await Scenario.start(lab, {
      ...settings,
      rollout: {
        waves: [
          { name: 'pilot', select: 'web01,win01', take: 'rest' },
          { name: 'rest', take: 'rest' },
        ],
      },
    });
    for (const name of [...debian, ...windows.names]) boots.set(name, await bootOf(name));
  });

  after(async () => {
    await windows[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  test('one plan has both kinds in both waves', async () => {
    const { stdout } = await scenario.makePlan();
    assert.match(stdout, /1 pilot .*web01,win01 \(2\)[\s\S]*2 rest .*web\[02-05\],win\[02-05\] \(8\)/);
    assert.match(stdout, /^ {4}KB5065432 {2}revision 200.*\n {6}2026-09 Cumulative Update for Microsoft server/m);
    plan = JSON.parse(await readFile(scenario.plan, 'utf8')) as Plan;
    assert.deepEqual(
      plan.hosts.filter(({ reboot }) => reboot.expected).map(({ host }) => host),
      rebooted,
    );
  });

  test('fettle dies while a Windows host and a Debian host install', async () => {
    const fettle = scenario.spawn(['apply', scenario.plan, '-vv']);
    await fettle.waitForText(installing.win02);
    await fettle.waitForText(/\[web02\] installing/);
    fettle.kill('SIGKILL');
    await fettle.done();
    assert.ok(isWaiting(windows.model('win02'), cumulative), 'the installation goes on without fettle');
    assert.doesNotMatch((await lab.packageState('web02', 'fettle-hang')) ?? '', /^ii/);
    assert.equal(await bootOf('win01'), Number(boots.get('win01')) + 1, 'wave 1 was over');
    await lab.tell('web02', 'rm /etc/fettle-lab/hang-holds');
  });

  test('run resume takes all of them to verified', async () => {
    await scenario.fettle(['run', 'resume']);
    const verdicts = await scenario.verdicts();
    assert.deepEqual(Object.keys(verdicts).toSorted(), [...debian, ...windows.names]);
    for (const [host, verdict] of Object.entries(verdicts)) assert.equal(verdict, 'verified', host);
  });

  test('each planned update was installed exactly once', async () => {
    for (const { host, updates } of plan.hosts) {
      const once = Object.fromEntries(updates.map(({ name }) => [name, 1]));
      if (windows.names.includes(host)) {
        assert.deepEqual(windows.installations(host), once, host);
        continue;
      }
      for (const { name, to } of updates) {
        assert.equal(await lab.packageState(host, name), `ii ${to}`, host);
        if (name.startsWith('fettle-')) assert.equal(await lab.postinstRuns(host, name, to), 1, `${host} ${name}`);
      }
    }
    for (const name of ['win01', 'win02', 'win03']) assert.equal(windows.model(name).os.ubr, 4171, name);
  });

  test('those that needed it were rebooted once, the others never', async () => {
    for (const [name, earlier] of boots) {
      const now = await bootOf(name);
      if (typeof earlier === 'number') assert.equal(now, earlier + (rebooted.includes(name) ? 1 : 0), name);
      else assert.equal(now !== earlier, rebooted.includes(name), name);
    }
    const { reboots, waves } = await scenario.json<{
      reboots: { host: string }[];
      waves: { name: string; endedAt: string | null }[];
    }>(['run', 'show']);
    assert.deepEqual(reboots.map(({ host }) => host).toSorted(), rebooted);
    for (const { name, endedAt } of waves) assert.ok(endedAt, `wave ${name} is over`);
  });

  test('nothing is left on either kind', async () => {
    for (const name of debian) await scenario.assertNothingLeft(name);
    for (const name of windows.names) assert.deepEqual(await windows.leftBehind(name), [], name);
  });

  test('a second plan finds nothing', async () => {
    const again = await scenario.fettle(['plan', `${lab.stateDir}/playbook.yaml`, '--detailed-exitcode']);
    assert.match(again.stdout, /Nothing to do on 10 hosts/);
  });

  test('the ledger is whole and contains both kinds', async () => {
    await scenario.fettle(['ledger', 'verify']);
    const { hosts } = await scenario.json<{ hosts: { host: string; osName: string; kernel: string }[] }>([
      'report',
      'hosts',
    ]);
    const systems = hosts.map(({ host, osName }) => `${host} ${osName.replace(/.*(Debian|Windows Server).*/, '$1')}`);
    assert.deepEqual(systems, [
      ...debian.map((name) => `${name} Debian`),
      ...windows.names.map((name) => `${name} Windows Server`),
    ]);
    assert.equal(hosts.find(({ host }) => host === 'win02')?.kernel, '10.0.20348.4171');
    const status = await scenario.json<{ hosts: { security: number; rebootNeeded: string; lastVerdict: string }[] }>([
      'report',
      'status',
    ]);
    assert.equal(status.hosts.length, 10);
    for (const host of status.hosts) {
      assert.deepEqual([host.security, host.rebootNeeded, host.lastVerdict], [0, 'no', 'verified']);
    }
  });
});

test('a Windows host that is cut off while it installs is followed again', { skip: skipWithoutDotnet }, async () => {
  await using lab = await startLab({ name: 'unheard', hosts: [{ name: 'web01', packages: ['fettle-tool'] }] });
  await using windows = await joinWindows(lab, [{ name: 'win01', model: { updates: month(12), reboot: quickly } }]);
  const scenario = await Scenario.start(lab, settings);
  await scenario.makePlan();
  const fettle = scenario.spawn(['apply', scenario.plan, '-vv']);
  await fettle.waitForText(installing.win01);
  const had = await windows.dropConnections('win01');
  await windows.cutNetwork(4_000);
  assert.ok(isWaiting(windows.model('win01'), cumulative), 'it was lost while it installed');
  const { code, stdout, stderr } = await fettle.done();
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.ok((await windows.dropConnections('win01')) > had, 'it came back by a new connection');
  assert.deepEqual(await scenario.verdicts(), { web01: 'verified', win01: 'verified' });
  assert.deepEqual(windows.installations('win01'), { KB5065111: 1, [`KB${cumulative}`]: 1, KB890830: 1 });
  assert.deepEqual(await windows.leftBehind('win01'), []);
  await scenario.fettle(['ledger', 'verify']);
});
