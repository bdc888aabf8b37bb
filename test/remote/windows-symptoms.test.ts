// Trouble that users of other tools have reported in public, each as a case of its own: the same cause on a simulated
// host, and what must come of it here. The thread is named where the cause was described. What needs a whole run (a
// restart, a fleet) is in test/integration/windows-symptoms.test.ts; what needs more than one round of updates waits for
// rounds and is named in docs/tested.md.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judgeDrift } from '../../src/domain/drift.ts';
import { judgeVerify } from '../../src/domain/health.ts';
import { FettleError, isOutage } from '../../src/domain/error.ts';
import { gapsOf } from '../../src/domain/scan.ts';
import type { HostScan } from '../../src/domain/scan.ts';
import type { BootState } from '../../src/engine/connection/host-port.ts';
import { rebootHost } from '../../src/engine/host/reboot.ts';
import { hresults } from '../../src/managers/windows-update/hresult.ts';
import { windowsUpdate } from '../../src/managers/windows-update/windows-update.ts';
import { parseFrame } from '../../src/remote/frame.ts';
import { runScript } from '../../src/remote/launch.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import { describeFault, faultError } from '../../src/transport/winrm/soap/faults.ts';
import { probeSections, record, scanOf, updateId } from '../fixtures/managers/windows-update/sections.ts';
import { classification, monthOfUpdates, windowsUpdate as anUpdate } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { FakeRemote } from '../support/fake-machine.ts';
import { hostContext } from '../support/host-fixture.ts';
import { MemoryRecord } from '../support/memory-record.ts';
import { fakeMachine } from '../support/rollout-fixture.ts';
import { Rig } from '../transport/winrm/rig.ts';
import { installWinget } from '../support/windows/packages.ts';
import { createAgent, free, host, install, planned, scan, simulate, states } from '../support/windows/patching.ts';
import { WindowsSession } from '../support/windows/session.ts';

const skip = skipWithoutDotnet;

/** What the manager makes of a worker's record. */
function read(record: Readonly<Record<string, unknown>>, updates: readonly unknown[] = []): HostScan {
  return scanOf({ updates, scan: record });
}

describe('the search for updates', { skip }, () => {
  for (const [code, thread] of [
    ['0x80240438', 'ansible.windows#193'],
    ['0x80244007', 'ansible.windows#274'],
    ['0x8024402C', 'ansible#28798'],
  ] as const) {
    test(`is made again where its server fails with ${code} and recovers (${thread})`, async () => {
      await using windows = host(monthOfUpdates(), await createAgent({ searchFault: code, searchFaultTimes: 1 }));
      assert.equal(free(await scan(windows)).length, 3);
    });
  }

  test('that is refused to a network logon is made as SYSTEM (PSWindowsUpdate#17, Win32-OpenSSH#2310)', async () => {
    await using windows = host(monthOfUpdates(), await createAgent({ remoteTokenRefusesWua: true }));
    const found = await scan(windows);
    assert.deepEqual([free(found).length, found.problems], [3, []]);
  });

  test('that ends with errors is never "no updates": what was found is reported as incomplete (ansible.windows#366)', async () => {
    await using windows = host(monthOfUpdates(), await createAgent({ searchResult: 3 }));
    const found = await scan(windows);
    assert.deepEqual(found.updates, []);
    assert.equal(found.securityKnown, false);
    assert.deepEqual(gapsOf(found), [
      'the search for updates succeeded with errors (result 3): updates may be missing',
    ]);
  });

  for (const [result, how] of [
    [4, 'failed'],
    [5, 'was aborted'],
  ] as const) {
    test(`that ${how} is a failure, whatever it found (ansible.windows#372, packer-plugin-windows-update#155)`, async () => {
      await using windows = host(monthOfUpdates(), await createAgent({ searchResult: result }));
      await assert.rejects(scan(windows), {
        code: 'command',
        message: `the search for updates ${how} (result ${result})`,
      });
    });
  }

  test('that fails over something that passes is made again (ansible.windows#274)', async () => {
    const searchWarnings = [{ message: 'busy', hresult: '0x8024401C', context: 1 } as const];
    await using windows = host(
      monthOfUpdates(),
      await createAgent({ searchResult: 4, searchResultTimes: 2, searchWarnings }),
    );
    const found = await scan(windows);
    assert.equal(free(found).length, 3);
    assert.match(gapsOf(found).join(), /0x8024401C/);
  });

  test('with a warning is complete in nothing, though its list is there (ansible.windows#411)', async () => {
    const searchWarnings = [{ message: 'a list was damaged', hresult: '0x8024402F', context: 1 } as const];
    await using windows = host(monthOfUpdates(), await createAgent({ searchWarnings }));
    const found = await scan(windows);
    assert.deepEqual([free(found).length, found.securityKnown], [3, false]);
    assert.match(gapsOf(found).join(), /^search \(1\): 0x8024402F a downloaded list was damaged$/);
  });

  test('whose result cannot be read is reported and keeps its list (ansible.windows#366)', async () => {
    await using windows = host(monthOfUpdates(), await createAgent({ failingSearch: { ResultCode: '0x80248007' } }));
    const found = await scan(windows);
    assert.equal(free(found).length, 3);
    assert.match(gapsOf(found).join(), /reports no result code/);
  });

  test('asks its source once, however much there is to know (packer-plugin-windows-update#80, ansible.windows#463)', async () => {
    await using windows = host(
      [...monthOfUpdates(), anUpdate({ title: 'Preview (KB5000011)', deploymentAction: 4 })],
      await createAgent({}),
    );
    const found = await scan(windows);
    const searches = windows.model().agent.searches ?? [];
    assert.deepEqual(
      searches.map((line) => line.split(' ')[0]),
      ['online'],
    );
    assert.ok(found.updates.some((update) => update.name === 'KB5000011'));
    await simulate(windows, free(found));
    const { updates } = await install(windows, free(found));
    assert.deepEqual(states(updates()), ['KB5065111 installed', 'KB5065432 installed', 'KB890830 installed']);
    await scan(windows);
    // Before the restart nothing more is asked of it; after it, once.
    const online = (): number =>
      (windows.model().agent.searches ?? []).filter((line) => line.startsWith('online')).length;
    assert.equal(online(), 1);
    await windows.reboot();
    await scan(windows);
    assert.equal(online(), 2);
  });

  test('for drivers too is the same one search', async () => {
    const driver = anUpdate({ title: 'Net driver', type: 'driver', categories: [classification.driver] });
    await using windows = host([driver, ...monthOfUpdates()], await createAgent({}));
    const found = await scan(windows, { drivers: 'yes' });
    assert.ok(found.updates.some((update) => update.name === driver.id));
    assert.equal(windows.model().agent.searches?.length, 1);
  });

  test('of an agent too old for a part of it is made in parts, and asks its source once all the same', async () => {
    await using windows = host(
      [...monthOfUpdates(), anUpdate({ title: 'In (KB5000010)', isInstalled: true, isKnown: true })],
      await createAgent({ isOld: true }),
    );
    const found = await scan(windows);
    assert.equal(free(found).length, 3);
    assert.ok(found.packages.some((item) => item.name === 'KB5000010'));
    assert.match(gapsOf(found).join(), /search \(optional\): 0x80240032/);
    const online = (windows.model().agent.searches ?? []).filter((line) => line.startsWith('online'));
    assert.equal(online.length, 1);
  });

  test('that fails with any known code is an error that names it, never a list (packer-plugin-windows-update#122)', () => {
    let count = 0;
    for (const code of hresults.keys()) {
      const failure = { code: `0x${code.toString(16).padStart(8, '0')}`, message: 'x' };
      assert.throws(() => read({ failure, updates: [record(1)] }), { code: 'command' });
      count += 1;
    }
    assert.ok(count > 80);
  });
});

describe('what goes in by itself', () => {
  for (const [kb, thread, reason] of [
    ['2267602', 'ansible.windows#530', /definitions renew themselves/],
    ['5007651', 'packer-plugin-windows-update#162', /definitions renew themselves/],
    ['5034439', 'ansible.windows#604', /recovery partition/],
  ] as const) {
    test(`is not KB${kb}, which comes again for ever (${thread})`, () => {
      const [update] = read({}, [record(1, { kb: [kb], classification: 'update' })]).updates;
      assert.ok(update?.heldBack?.kind === 'excluded');
      assert.match(update.heldBack.reason, reason);
    });
  }

  test('is no feature upgrade under the number of an ordinary update (KB5044284)', () => {
    const [update] = read({}, [record(1, { kb: ['5044284'], title: 'Windows Server 2025 (KB5044284)' })]).updates;
    assert.ok(update?.heldBack?.kind === 'excluded');
    assert.equal(update.heldBack.unless, 'id');
  });

  test('restarts nothing where it is a hotpatch (azure-docs#71547)', () => {
    const [update] = read({}, [record(1, { rebootBehavior: 0 })]).updates;
    assert.deepEqual([update?.isKernel, update?.heldBack], [false, undefined]);
  });
});

describe('definitions that were renewed since the plan', { skip }, () => {
  test('do not keep the others out, and have a successor where one is wanted (ansible.windows#530)', async () => {
    await using windows = host(monthOfUpdates());
    const wanted = (await scan(windows)).updates.filter(({ name }) => name === 'KB2267602' || name === 'KB5065111');
    await windows.change((model) => {
      for (const update of model.updates) {
        if (update.kb[0] === '2267602') update.id = updateId(77);
      }
      // The source is asked again, as hours later.
      model.boot.time += 1;
    });
    await windows.reboot();
    const simulation = await simulate(windows, wanted);
    const plan = { updates: wanted.map(planned), removals: [] };
    const refusing = judgeDrift({ plan, simulation, onDrift: 'refuse-host' });
    assert.ok(refusing.kind === 'adjusted');
    assert.deepEqual(
      [refusing.install.map(({ name }) => name), refusing.skipped.map(({ update }) => update.name)],
      [['KB5065111'], ['KB2267602']],
    );
    assert.match(refusing.skipped[0]?.reason ?? '', /replaced by its publisher since the plan/);
    const superseding = judgeDrift({ plan, simulation, onDrift: 'supersede' });
    assert.ok(superseding.kind === 'adjusted');
    assert.deepEqual(
      superseding.superseded.map(({ successor }) => [successor.name, successor.arch]),
      [['KB2267602', updateId(77)]],
    );
    const { result, updates } = await install(windows, wanted);
    assert.equal(result.verdict, 'ok', result.message);
    assert.deepEqual(states(updates()), ['KB2267602 superseded', 'KB5065111 installed']);
  });

  test('an update that another one replaces by name has that one for its successor', () => {
    const sections = probeSections({ updates: [record(2, { supersedes: [updateId(1)] })] });
    const asked = new Map([...sections, ['asked', `KB5000001 ${updateId(1)} 200`]]);
    const simulation = windowsUpdate.parseSimulation(asked);
    const [update] = read({}, [record(1)]).updates;
    assert.ok(update !== undefined);
    const plan = { updates: [planned(update)], removals: [] };
    const refused = judgeDrift({ plan, simulation, onDrift: 'refuse-host' });
    assert.ok(refused.kind === 'drifted');
    assert.match(refused.reasons[0] ?? '', /was replaced by KB5000002/);
    const followed = judgeDrift({ plan, simulation, onDrift: 'supersede' });
    assert.ok(followed.kind === 'adjusted');
    assert.deepEqual([followed.install[0]?.name, followed.install[0]?.arch], ['KB5000002', updateId(2)]);
  });
});

describe('an installation', { skip }, () => {
  test('is not stopped by licence terms that throw when they are read or accepted (UpdateOS#10, #12)', async () => {
    const failingProperties = { EulaAccepted: '0x8002802B', AcceptEula: '0x8002802B' } as const;
    await using windows = host([anUpdate({ title: 'Throws (KB5000001)', failingProperties })]);
    const { result, updates, log } = await install(windows, (await scan(windows)).updates);
    assert.equal(result.verdict, 'ok', `${result.message} ${log}`);
    assert.deepEqual(states(updates()), ['KB5000001 installed']);
    assert.match(log, /licence terms are accepted cannot be read: EulaAccepted 0x8002802B/);
  });

  test('is reported as far as it can be read, where single properties of its results throw', async () => {
    const failing = { failingOwnResult: { RebootRequired: '0x80004005', HResult: '0x80004005' } } as const;
    const installer = { failingInstaller: { IsBusy: '0x80004005', Commit: '0x80004005' } } as const;
    const downloaded = { IsDownloaded: '0x80248007' } as const;
    await using windows = host(
      [anUpdate({ title: 'Throws (KB5000001)', failingProperties: downloaded })],
      await createAgent({ ...failing, ...installer }),
    );
    const { result, updates, log } = await install(windows, (await scan(windows)).updates);
    assert.equal(result.verdict, 'ok', `${result.message} ${log}`);
    assert.deepEqual(states(updates()), ['KB5000001 installed']);
  });

  test('of a bad update beside one that waits for the restart reports both (ansible.windows#22, #343)', async () => {
    await using windows = host([
      anUpdate({ title: 'Cumulative (KB5000001)', rebootBehavior: 2 }),
      anUpdate({ title: 'Bad (KB5000002)', installResult: { resultCode: 4, hresult: '0x80070643' } }),
    ]);
    const { updates } = await install(windows, free(await scan(windows)));
    assert.deepEqual(states(updates()), ['KB5000001 installed', 'KB5000002 failed']);
    assert.equal((await scan(windows)).reboot.needed, 'yes');
  });

  test('waits for a task that starts late (ansible#25298, modules-extras#2960)', async () => {
    await using windows = host([anUpdate({ title: 'One (KB5000001)' })], { taskStartMs: 1_500 });
    const { result } = await install(windows, free(await scan(windows)));
    assert.equal(result.verdict, 'ok', result.message);
  });

  test('that needs a restart before it names who restarts the host (ansible.windows#196)', async () => {
    await using windows = host(monthOfUpdates(), await createAgent({ rebootRequiredBeforeInstallation: true }));
    const { result } = await install(windows, free(await scan(windows)));
    assert.match(result.message ?? '', /waits for a restart.*run fettle reboot for this host, then resume the run/);
  });

  test('after which more is offered reports it (windows-itpro-docs#1295, packer-plugin-windows-update#162)', () => {
    const [before, after] = [read({}, [record(1)]), read({}, [record(2)])];
    const settings = { failedUnits: 'fail', listeners: 'fail', staleProcesses: 'fail', ignore: [] } as const;
    const plan = { updates: [], removals: [], leftOut: [] };
    const verify = { retries: 0, retryDelayMs: 0, ...settings };
    const findings = judgeVerify({ before, after, plan, results: [], settings: verify, wasRebooted: true });
    assert.deepEqual(findings, [
      { check: 'newly-offered', level: 'warn', message: 'newly on offer: KB5000002; plan it again for them' },
    ]);
  });
});

describe('files that wait to be renamed', { skip }, () => {
  const manager = String.raw`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`;
  for (const [path, needed] of [
    [String.raw`\??\C:\Windows\System32\config\systemprofile\AppData\Local\x.tmp`, 'no'],
    [String.raw`\??\C:\Windows\System32\DriverStore\Temp\{1}\a.sys`, 'no'],
    [String.raw`\??\C:\Windows\System32\spool\V4Dirs\b.gpd`, 'no'],
    [String.raw`\??\C:\Windows\System32\drivers\ntfs.sys`, 'yes'],
  ] as const) {
    test(`${needed === 'no' ? 'ask for no restart' : 'ask for a restart'}: ${path} (choco#1768, SharePointDsc#960)`, async () => {
      await using windows = host([]);
      await windows.change((model) => {
        model.registry[manager] = {
          values: { PendingFileRenameOperations: { kind: 'MultiString', data: [path, ''] } },
        };
      });
      const { reboot } = await scan(windows);
      assert.equal(reboot.needed, needed);
      assert.equal(reboot.signs?.length, 1);
    });
  }
});

describe('software beside Windows Update', { skip }, () => {
  test('that winget cannot list is missing and reported as missing (Winget-AutoUpdate#28, winget-cli#3068)', async () => {
    await using windows = host([]);
    installWinget(windows.directory, '', '');
    const program = join(
      windows.directory,
      'c/Program Files/WindowsApps/Microsoft.DesktopAppInstaller_1.21.10120.0_x64__8wekyb3d8bbwe/winget.exe',
    );
    writeFileSync(program, '#!/bin/sh\necho "Failed to open the source"\nexit 1\n');
    const found = await scan(windows);
    assert.deepEqual(gapsOf(found), [
      'winget could not make its list of installed software (status 1): Failed to open the source',
      'winget could not make its list of newer versions (status 1): Failed to open the source',
    ]);
    // What Windows Update itself has said is whole.
    assert.equal(found.securityKnown, true);
    const without = await scan(windows, { software: 'no' });
    assert.deepEqual([without.managers, without.problems], [['windows-update'], []]);
  });
});

describe('a host that is starting, short of memory or in another language', () => {
  const endpoint = { hostName: 'win01', address: '192.0.2.1', port: 5985, scheme: 'http', path: '/wsman' } as const;

  for (const [code, subcode, thread] of [
    [1455, undefined, 'ansible#39327'],
    [14, undefined, 'ansible#23809'],
    [0x8007000e, undefined, 'ansible#62365'],
    [0x80070718, undefined, 'ansible#62365'],
    [2147942405, 'InternalError', 'wazuh-ansible#581'],
    [995, undefined, 'ansible.windows#516'],
  ] as const) {
    test(`that answers one question with ${code} is asked again (${thread})`, () => {
      const error = faultError(endpoint, 'command', { code, subcode, message: 'words in any language' });
      assert.ok(isOutage(error), `${error.code}: ${error.message}`);
    });
  }

  test('that answers 500 or 503 while it boots is asked again (ansible#28389, ansible.windows#143)', async () => {
    for (const status of [500, 503] as const) {
      await using rig = await Rig.start();
      const session = await rig.open();
      rig.server.faults.add({ on: 'Create', fault: { kind: 'status', status } });
      await assert.rejects(session.exec({ command: 'echo x' }), (error) => isOutage(error));
    }
  });

  test('that is a lone domain controller has a quarter of an hour and five logins (ansible#39235)', async () => {
    const machine = fakeMachine('dc1');
    const context = hostContext({ machine, record: new MemoryRecord() });
    const connection = { ...context.host.connection, shell: 'powershell' as const };
    machine.rebootScript = ['down', ...Array.from({ length: 4 }, () => 'down' as const), 'back'];
    let [looks, refused] = [0, 0];
    const remote = new (class extends FakeRemote {
      override bootState(): Promise<BootState> {
        looks += 1;
        if (looks === 1) return Promise.reject(new FettleError('connect', 'it is down'));
        if (refused < 4) {
          refused += 1;
          return Promise.reject(new FettleError('auth', 'the domain cannot be asked'));
        }
        return Promise.resolve({ bootId: 'dc1-boot-2', isSettled: true });
      }
    })(context.host, machine);
    const settings = { goDownMs: 60_000, comeBackMs: 3_600_000, settleMs: 10_000 };
    const order = { settings, bootIdBefore: 'dc1-boot-1', reasons: ['x'], ordinal: 1 };
    const end = await rebootHost({ ...context, remote, host: { ...context.host, connection } }, order);
    assert.equal(end.kind, 'rebooted');
    assert.equal(refused, 4);
    assert.ok(context.clock.elapsedMs() >= 14 * 60_000, `${context.clock.elapsedMs()} ms`);
  });

  test('whose quota of operations is spent gets another shell, a quota of shells has a hint (ansible#23165, vagrant#7489)', () => {
    assert.equal(describeFault({ code: 2150859174, subcode: undefined }).class, 'sessionReset');
    assert.match(describeFault({ code: 2150859173, subcode: undefined }).hint, /winrm enumerate shell/);
  });

  test(
    'that configures updates before the logon prompt is not up (ansible#28389, ansible.windows#143)',
    { skip },
    async () => {
      await using windows = host([]);
      await windows.change((model) => {
        for (const key of Object.keys(model.registry)) if (key.endsWith('AutoLogonChecked')) delete model.registry[key];
      });
      const session = new WindowsSession(windows);
      const stateOf = async (): Promise<string | undefined> =>
        parseFrame((await runScript(session, probeScript(), { verb: 'boot' })).stdout).get('system-state');
      assert.equal(await stateOf(), 'starting');
    },
  );

  test(
    'that speaks another language in another code page is read (ansible#18990, PSWindowsUpdate#60)',
    { skip },
    async () => {
      const title =
        '2026-09 x64 \u30d9\u30fc\u30b9\u30b7\u30b9\u30c6\u30e0\u7528\u66f4\u65b0\u30d7\u30ed\u30b0\u30e9\u30e0 (KB5000001)';
      const categories = [{ ...classification.security, name: '\u30bb\u30ad\u30e5\u30ea\u30c6\u30a3' }];
      await using windows = host([anUpdate({ title, categories })], { codePage: 932 });
      const [update] = (await scan(windows)).updates;
      assert.deepEqual([update?.title, update?.class], [title, 'security']);
    },
  );

  test(
    'whose SSH server cuts standard input short is reported, and nothing runs (Win32-OpenSSH#908)',
    { skip },
    async () => {
      await using windows = host([]);
      const whole = new WindowsSession(windows);
      const cut = Object.assign(Object.create(whole) as WindowsSession, {
        exec: (request: Parameters<WindowsSession['exec']>[0]) =>
          whole.exec({ ...request, stdin: String(request.stdin).slice(0, -4_000) }),
      });
      await assert.rejects(runScript(cut, probeScript(), { verb: 'summary' }), { code: 'parse' });
    },
  );
});
