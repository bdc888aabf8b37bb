// What people do with Windows hosts all day, by the real program against simulated hosts with the real PowerShell engine.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import type { Plan } from '../../src/domain/plan.ts';
import { classification, monthOfUpdates, windowsUpdate } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { startWindowsFleet, type WindowsFleet, type WindowsFleetOptions } from '../support/windows/fleet.ts';
import type { WindowsModel } from '../support/windows/model.ts';
import { chocolateyVersions, installChocolatey } from '../support/windows/packages.ts';
import { Rig, type Ended } from './rig.ts';

const quickly = { delayShare: 0.1, shutdownMs: 0, offMs: 100, bootingMs: 100, logonUiMs: 0, servicingMs: 0 };
const upgrade = windowsUpdate({
  title: 'Windows Server 2025 (KB5044284)',
  categories: [classification.upgrade],
  needsCommit: true,
});
const extras = [
  upgrade,
  windowsUpdate({ title: 'Acme - Net - 12.1', type: 'driver', kb: [], categories: [classification.driver] }),
  windowsUpdate({
    title: '2026-09 Cumulative Update Preview for Microsoft server operating system (KB5065999)',
    browseOnly: true,
    categories: [classification.update],
  }),
];

class Scene implements AsyncDisposable {
  readonly fleet: WindowsFleet;
  readonly rig: Rig;

  private constructor(fleet: WindowsFleet, rig: Rig) {
    this.fleet = fleet;
    this.rig = rig;
  }

  static async make(
    names: readonly string[],
    model: Partial<WindowsModel>,
    more: WindowsFleetOptions = {},
  ): Promise<Scene> {
    const fleet = await startWindowsFleet(names, { ...more, model: { reboot: quickly, ...model } });
    const rig = await Rig.make();
    await rig.write('inventory.yaml', `all:\n  children:\n${fleet.inventory}`);
    return new Scene(fleet, rig);
  }

  model(at = 0): WindowsModel {
    const member = this.fleet.members[at];
    if (member === undefined) throw new Error(`there is no host ${at}`);
    return member.host.model();
  }

  change(edit: (model: WindowsModel) => void): Promise<void> {
    const [member] = this.fleet.members;
    if (member === undefined) throw new Error('there is no host');
    return member.host.change(edit);
  }

  async playbook(rest: string): Promise<string> {
    const text = `kind: patch\nversion: 1\nname: month\ntargets: { select: all }\nverify: { retries: 0 }\n${rest}\n`;
    return this.rig.write('playbook.yaml', text);
  }

  async plan(rest: string, ...argv: readonly string[]): Promise<Plan> {
    const ended = await this.rig.run(['plan', await this.playbook(rest), '-o', this.rig.path('plan.json'), ...argv]);
    assert.equal(ended.code, 0, ended.stderr);
    return JSON.parse(await readFile(this.rig.path('plan.json'), 'utf8')) as Plan;
  }

  async patch(rest: string, ...argv: readonly string[]): Promise<Ended> {
    return this.rig.run(['patch', await this.playbook(rest), '--yes', ...argv]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await this.rig[Symbol.asyncDispose]();
  }
}

function names(plan: Plan): readonly string[] {
  return (plan.hosts[0]?.updates ?? []).map((update) => update.name).sort();
}

function reasonOf(plan: Plan, name: string): string | undefined {
  return plan.hosts[0]?.leftOut.find((item) => item.name === name)?.reason;
}

function updateOf(model: WindowsModel, kb: string): WindowsModel['updates'][number] {
  const found = model.updates.find((update) => update.kb.includes(kb));
  if (found === undefined) throw new Error(`there is no KB${kb}`);
  return found;
}

interface HistoryLine {
  readonly host: string;
  readonly name: string | null;
  readonly state: string;
  readonly kind: string;
  readonly client: string | null;
}

async function history(rig: Rig, ...argv: readonly string[]): Promise<readonly HistoryLine[]> {
  const ended = await rig.run(['report', 'history', ...argv, '--json']);
  assert.equal(ended.code, 0, ended.stderr);
  return (JSON.parse(ended.stdout) as { history: readonly HistoryLine[] }).history;
}

describe('which updates go in', { skip: skipWithoutDotnet }, () => {
  let made: Promise<Scene> | undefined;
  const scene = (): Promise<Scene> => (made ??= Scene.make(['win01'], { updates: [...monthOfUpdates(), ...extras] }));
  after(async () => (await made)?.[Symbol.asyncDispose]());

  const choices: readonly { readonly what: string; readonly policy: string; readonly takes: readonly string[] }[] = [
    {
      what: 'a silent playbook takes no driver, preview, definition or feature upgrade',
      policy: '',
      takes: ['KB5065111', 'KB5065432', 'KB890830'],
    },
    {
      what: 'by classification',
      policy: 'policy: { include: [{ classifications: [security] }] }',
      takes: ['KB5065111', 'KB5065432'],
    },
    {
      what: 'by severity',
      policy: 'policy: { include: [{ severities: [critical] }] }',
      takes: ['KB5065432'],
    },
    {
      what: 'by a glob on KB numbers',
      policy: "policy: { include: [{ packages: ['KB50651*'] }] }",
      takes: ['KB5065111'],
    },
    { what: 'by title', policy: "policy: { include: [{ titles: ['*malicious*'] }] }", takes: ['KB890830'] },
    {
      what: 'a driver by its kind',
      policy: 'policy: { include: [{ classifications: [driver] }] }',
      takes: [extras[1]?.id ?? ''],
    },
    {
      what: 'a preview by its number',
      policy: 'policy: { include: [{ packages: [KB5065999] }] }',
      takes: ['KB5065999'],
    },
    {
      what: 'a feature upgrade by its id',
      policy: `policy: { include: [{ packages: [${upgrade.id}] }] }`,
      takes: ['KB5044284'],
    },
    { what: 'no feature upgrade by its number', policy: 'policy: { include: [{ packages: [KB5044284] }] }', takes: [] },
    {
      what: 'all but what is excluded',
      policy: 'policy: { exclude: [{ packages: [KB890830] }, { titles: ["*.NET*"] }] }',
      takes: ['KB5065432'],
    },
  ];
  for (const { what, policy, takes } of choices) {
    test(what, async () => {
      const plan = await (await scene()).plan(policy, '-e', 'patch_windows_drivers=true');
      assert.deepEqual(names(plan), takes);
      const all = [...(plan.hosts[0]?.updates ?? []), ...(plan.hosts[0]?.leftOut ?? [])];
      assert.equal(new Set(all.map((item) => item.arch)).size, 7);
    });
  }

  test('the plan describes its settings', async () => {
    const { rig } = await scene();
    const playbook = await (
      await scene()
    ).playbook('policy: { include: [{ classifications: [driver], severities: [low] }] }');
    const { stdout } = await rig.run(['plan', playbook, '-o', rig.path('other.json')]);
    assert.match(stdout, /classifications driver, severities low/);
    assert.match(stdout, /drivers are not searched for: set patch_windows_drivers/);
  });
});

describe('where updates come from', { skip: skipWithoutDotnet }, () => {
  const wsus = { id: '3da21691-e39d-4da6-8a4b-b43877bcb1b7', name: 'Windows Server Update Service', isManaged: true };

  test('the source of the inventory is searched, and is shown with the update', async () => {
    await using scene = await Scene.make(['win01'], {});
    await scene.change((model) => {
      model.agent.source = 'wsus';
      model.agent.services.push(wsus);
    });
    const origins = new Map<string, string | undefined>();
    for (const source of ['default', 'wsus', 'windows-update', 'microsoft-update']) {
      const plan = await scene.plan('', '-e', `patch_windows_source=${source}`);
      origins.set(source, plan.hosts[0]?.updates[0]?.origins[0]);
    }
    assert.deepEqual(Object.fromEntries(origins), {
      default: wsus.name,
      wsus: wsus.name,
      'windows-update': 'Windows Update',
      'microsoft-update': 'Microsoft Update',
    });
  });
});

describe('downloading ahead', { skip: skipWithoutDotnet }, () => {
  test('installs nothing and calls nothing patched; what is there goes in later, and only that', async () => {
    await using scene = await Scene.make(['win01'], {});
    const some = 'policy: { include: [{ packages: [KB5065432] }] }\n';
    const downloaded = await scene.patch(`${some}install: { mode: download }\nreboot: if-needed`);
    assert.equal(downloaded.code, 0, downloaded.stderr);
    assert.match(downloaded.stderr, /skipped: downloaded, not installed: 1 update/);
    assert.doesNotMatch(downloaded.stderr, /verified/);
    const lcu = updateOf(scene.model(), '5065432');
    assert.deepEqual([lcu.isDownloaded, lcu.isInstalled, lcu.isWaitingForReboot], [true, false, false]);
    assert.equal(scene.model().boot.number, 41);
    assert.deepEqual(
      (await history(scene.rig)).map(({ name, state }) => [name, state]),
      [['KB5065432', 'downloaded']],
    );
    const plan = await scene.plan('install: { mode: cached }\nreboot: if-needed');
    assert.deepEqual(names(plan), ['KB5065432']);
    assert.equal(reasonOf(plan, 'KB5065111'), 'not downloaded, and install.mode is cached');
    const applied = await scene.rig.run(['apply', scene.rig.path('plan.json')]);
    assert.equal(applied.code, 0, applied.stderr);
    const after = scene.model();
    assert.deepEqual(
      after.updates.filter((update) => update.isInstalled).map((update) => update.kb[0]),
      ['5065432'],
    );
    assert.equal(after.os.ubr, 4171);
    assert.equal(after.boot.number, 42);
    assert.match(applied.stderr, /verified/);
  });

  test('is refused in words where the package manager does both in one', async () => {
    await using rig = await Rig.make();
    await rig.write('inventory.yaml', 'all: { hosts: { here: { ansible_connection: local } } }\n');
    const text = 'kind: patch\nversion: 1\nname: x\ntargets: { select: all }\ninstall: { mode: download }\n';
    const ended = await rig.run(['plan', await rig.write('p.yaml', text), '--no-refresh', '-o', rig.path('plan.json')]);
    assert.equal(ended.code, 4, ended.stderr);
    assert.match(ended.stdout + ended.stderr, /apt does not know install\.mode: download/);
  });
});

describe('a month on two hosts', { skip: skipWithoutDotnet }, () => {
  test('waves one after the other, a reboot where it is needed, history and failures afterwards', async () => {
    const updates = (): WindowsModel['updates'] => monthOfUpdates();
    await using scene = await Scene.make(['win01', 'win02'], { updates: updates() });
    await scene.change((model) => {
      updateOf(model, '890830').installResult = { resultCode: 4, hresult: '0x80070643' };
      model.history.push({
        title: 'Security Intelligence Update - KB2267602',
        updateId: '99999999-2222-4333-8444-555555555555',
        revision: 3,
        date: Date.UTC(2026, 8, 1),
        operation: 1,
        resultCode: 2,
        hresult: 0,
        clientApplicationId: 'Windows Defender',
      });
    });
    const rest = 'reboot: if-needed\nrollout: { waves: [{ select: win02 }, rest], budget: { max: 2 } }';
    const ended = await scene.patch(rest, '--jsonl');
    assert.equal(ended.code, 4, ended.stderr);
    const events = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; host?: string; outcome?: { verdict: string } });
    const finished = events.filter(({ type }) => type === 'host.finished' || type === 'wave.started');
    assert.deepEqual(
      finished.map(({ type, host, outcome }) => (type === 'wave.started' ? 'wave' : `${host} ${outcome?.verdict}`)),
      ['wave', 'win02 verified', 'wave', 'win01 failed'],
    );
    assert.deepEqual([scene.model(1).boot.number, scene.model(1).os.ubr], [42, 4171]);
    const failures = await history(scene.rig, '--failed');
    assert.deepEqual(
      failures.map(({ host, kind, name, state }) => [host, kind, name, state]),
      [
        ['win01', 'run', null, 'failed'],
        ['win01', 'update', 'KB890830', 'failed'],
      ],
    );
    const own = (await history(scene.rig, 'win01')).filter(({ kind }) => kind === 'own');
    assert.deepEqual(
      own.map(({ name, state, client }) => [name, state, client]),
      [['KB2267602', 'installed', 'Windows Defender']],
    );
    const report = await scene.rig.run(['report', 'history', 'win01', '--failed']);
    assert.match(report.stdout, /KB890830\t\t200\tfailed\t01[0-9A-Z]{24}\t0x80070643/);
  });
});

describe('several package managers on one host', { skip: skipWithoutDotnet }, () => {
  test('install in one step each, Windows Update first, and each update is recorded with its own', async () => {
    await using scene = await Scene.make(['win01'], {});
    const [member] = scene.fleet.members;
    assert.ok(member !== undefined);
    await installChocolatey(member.host, [
      { name: 'git', version: '2.40.0', available: '2.41.0' },
      { name: 'nodejs', version: '20.1.0', available: '22.0.0', isPinned: true },
    ]);
    const plan = await scene.plan('policy: { include: [{ packages: [KB890830, "git*", "node*"] }] }');
    const [host] = plan.hosts;
    assert.deepEqual(host?.managers, ['windows-update', 'chocolatey']);
    assert.deepEqual(
      host.steps.map(({ manager, afterFailure }) => [manager, afterFailure]),
      [
        ['windows-update', 'stop'],
        ['chocolatey', 'continue'],
      ],
    );
    assert.deepEqual(host.updates.map(({ manager, name, to }) => `${manager} ${name} ${to}`).toSorted(), [
      'chocolatey git 2.41.0',
      'windows-update KB890830 200',
    ]);
    assert.match(reasonOf(plan, 'nodejs') ?? '', /held/);
    const applied = await scene.rig.run(['apply', scene.rig.path('plan.json')]);
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stderr, /verified/);
    assert.equal(updateOf(scene.model(), '890830').isInstalled, true);
    assert.deepEqual(chocolateyVersions(member.host.directory), { git: '2.41.0', nodejs: '20.1.0' });
    assert.deepEqual(
      (await history(scene.rig))
        .flatMap(({ name, state, kind }) => (kind === 'update' ? [`${name} ${state}`] : []))
        .toSorted(),
      ['KB890830 installed', 'git installed'],
    );
  });
});

describe('power', { skip: skipWithoutDotnet }, () => {
  test('a watch reports the reboot of a host and its boot; a host in use is left alone; one that is idle goes off', async () => {
    await using scene = await Scene.make(['win01'], { sessions: [{ user: String.raw`CORP\ada`, state: 'Disc' }] });
    const { rig } = scene;
    const idle = await rig.run(['reboot', '--force', '--if-idle', '--yes']);
    assert.equal(idle.code, 0, idle.stderr);
    assert.match(idle.stderr, /skipped: .*not rebooted: logged on: CORP\\ada in session 2/);
    assert.equal(scene.model().boot.number, 41);
    const [watched, rebooted] = await Promise.all([
      rig.run(['ping', '--watch', '--for', '60s', '--interval', '1s', '--json']),
      rig.run(['reboot', '--force', '--yes']),
    ]);
    assert.equal(rebooted.code, 0, rebooted.stderr);
    assert.equal(watched.code, 0, watched.stderr);
    const [row] = (JSON.parse(watched.stdout) as { hosts: { state: string; reboots: number; bootedAt: string }[] })
      .hosts;
    assert.deepEqual([row?.state, row?.reboots], ['up', 1]);
    assert.ok(Math.abs(Date.parse(row?.bootedAt ?? '') - scene.model().boot.time) < 3_000);
    await scene.change((model) => {
      model.sessions = [];
      model.shutdown = { at: Date.now() + 3_600_000, isReboot: true, isInProgress: false, reason: '', comment: '' };
    });
    const cancelled = await rig.run(['shutdown', 'win01', '--cancel', '--json']);
    assert.equal(cancelled.code, 0, cancelled.stderr);
    assert.match(cancelled.stdout, /called off: shutdown/);
    assert.equal(scene.model().shutdown, undefined);
    const off = await rig.run(['shutdown', 'win01', '--if-idle', '--yes']);
    assert.equal(off.code, 0, off.stderr);
    assert.match(off.stderr, /verified: off: it stopped answering/);
    assert.equal(scene.fleet.members[0]?.host.state, 'off');
    const gone = await rig.run(['ping', '--watch', '--for', '2s', '--interval', '1s']);
    assert.equal(gone.code, 5);
    assert.match(gone.stdout, /\twin01\tdown\t/);
    assert.match(gone.stderr, /did not return: win01/);
  });
});
