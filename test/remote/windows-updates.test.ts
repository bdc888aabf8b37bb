// Scans and installations on a simulated Windows host: the real scripts in the real engine; the update agent, the Task
// Scheduler and the services behind them are doubles.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FettleError } from '../../src/domain/error.ts';
import { judgeVerify } from '../../src/domain/health.ts';
import { readHostSummary, unscannedManagers } from '../../src/managers/host-scan.ts';
import { windowsUpdate } from '../../src/managers/windows-update/windows-update.ts';
import { classification, monthOfUpdates, windowsUpdate as anUpdate } from '../support/windows/defaults.ts';
import {
  ask,
  createAgent,
  free,
  history,
  host,
  install,
  planned,
  scan,
  settings,
  simulate,
  states,
  work,
} from '../support/windows/patching.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { chocolateyVersions, installChocolatey, installWinget } from '../support/windows/packages.ts';

const skip = skipWithoutDotnet;

describe('a scan of a Windows host', { skip }, () => {
  test('a summary describes the host without any search, and refuses accounts without administrator rights as a scan does', async () => {
    await using windows = host(monthOfUpdates());
    const sections = await ask(windows, { verb: 'summary' });
    assert.equal(sections.has('windows-update'), false);
    assert.deepEqual(unscannedManagers(sections), []);
    const look = readHostSummary(sections, Date.now());
    const { managers, privileges, facts, disks } = await scan(windows);
    assert.deepEqual([look.managers, look.privileges, look.facts.osName], [managers, privileges, facts.osName]);
    assert.deepEqual(look.disks, disks);
    const account = { name: String.raw`WIN01\clerk`, sid: 'S-1-5-21-1-2-3-1001', isAdministrator: false };
    await using foreign = host([], { account });
    const denied = await ask(foreign, { verb: 'summary' });
    assert.throws(() => readHostSummary(denied, 0), {
      code: 'elevate',
      message: /clerk has no administrator/,
    });
  });

  test('lists what is on offer, by a search as SYSTEM, and what is there', async () => {
    await using windows = host([
      ...monthOfUpdates(),
      anUpdate({ title: 'Hidden (KB5000009)', isHidden: true }),
      anUpdate({ title: 'Installed (KB5000010)', isInstalled: true }),
      anUpdate({ title: 'Preview (KB5000011)', browseOnly: true }),
    ]);
    const found = await scan(windows);
    assert.deepEqual(
      free(found).map((update) => `${update.name} ${update.class} ${update.isKernel}`),
      ['KB5065111 security false', 'KB5065432 security true', 'KB890830 other false'],
    );
    assert.deepEqual(
      found.updates.flatMap((update) => (update.heldBack?.kind === 'excluded' ? [update.name] : [])),
      ['KB2267602', 'KB5000009', 'KB5000011'],
    );
    assert.ok(found.packages.some((item) => item.name === 'KB5000010' && item.version === '200'));
    assert.equal(found.facts.osVersion, '20348.4052');
    assert.equal(found.facts.hostName, 'WIN-LAB');
    assert.equal(found.reboot.needed, 'no');
    assert.ok(found.health.activeServices.includes('Spooler'));
    assert.ok(found.disks.some((disk) => disk.mount === 'C:' && disk.freeBytes > 0));
    assert.deepEqual(found.problems, []);
    assert.deepEqual(found.updates.find((update) => update.name === 'KB5065432')?.cves, [
      'CVE-2026-21001',
      'CVE-2026-21002',
    ]);
  });

  test('drivers are searched for only when asked', async () => {
    const driver = anUpdate({ title: 'Net driver', type: 'driver', categories: [classification.driver] });
    await using windows = host([driver]);
    assert.deepEqual((await scan(windows)).updates, []);
    const [update] = (await scan(windows, { drivers: 'yes' })).updates;
    assert.equal(update?.name, driver.id);
    assert.equal(update.heldBack?.kind, 'excluded');
  });

  test('a property that throws loses nothing but itself', async () => {
    const failingProperties = { MaxDownloadSize: '0x80070057', IsDownloaded: '0x80248007' } as const;
    await using windows = host([
      anUpdate({ title: 'Broken (KB5000001)', failingProperties }),
      anUpdate({ title: 'Whole (KB5000002)' }),
    ]);
    const found = await scan(windows);
    assert.deepEqual(
      free(found).map((update) => update.name),
      ['KB5000001', 'KB5000002'],
    );
    assert.ok(found.problems.some((problem) => problem.message.includes('1 updates could not be read')));
  });

  test('an answer of this moment is taken again, one of before a reboot is not', async () => {
    await using windows = host(monthOfUpdates());
    const begun = async (): Promise<string> =>
      /"started":"[^"]*"/.exec((await ask(windows, { verb: 'probe' })).get('windows-update') ?? '')?.[0] ?? '';
    const first = await begun();
    assert.equal(await begun(), first);
    await windows.reboot();
    assert.notEqual(await begun(), first);
  });

  test('a busy source is asked again, a dead one is an error with its code', async () => {
    const agent = createAgent({ searchFault: '0x8024401C', searchFaultTimes: 2 });
    await using busy = host(monthOfUpdates(), await agent);
    assert.equal(free(await scan(busy)).length, 3);
    await using dead = host(monthOfUpdates(), await createAgent({ searchFault: '0x8024402C', searchFaultTimes: -1 }));
    await assert.rejects(scan(dead), (error) => {
      assert.ok(error instanceof FettleError);
      assert.match(error.message, /0x8024402C a host name cannot be resolved/);
      assert.match(error.hint ?? '', /proxy/);
      return true;
    });
  });

  test('updates without any content are the defect that they are', async () => {
    await using windows = host(monthOfUpdates(), await createAgent({ returnsEmptyUpdates: true }));
    await assert.rejects(scan(windows), /empty objects/);
  });

  test('an account without administrator rights is an error', async () => {
    const account = { name: 'WIN-LAB\\bob', sid: 'S-1-5-21-1-2-3-1001', isAdministrator: false };
    await using windows = host(monthOfUpdates(), { account });
    await assert.rejects(scan(windows), (error) => error instanceof FettleError && error.code === 'elevate');
  });

  test('where no task can be started the session searches by itself and reports that', async () => {
    await using windows = host(monthOfUpdates(), { taskFault: '0x80041326' });
    const found = await scan(windows);
    assert.equal(free(found).length, 3);
    assert.ok(found.problems.some((problem) => problem.message.includes('no task could be started')));
  });

  test('an offline catalogue is searched, reported as such, and removed again', async () => {
    await using windows = host(monthOfUpdates());
    const cab = join(windows.directory, 'c', 'wsusscn2.cab');
    await assert.rejects(scan(windows, { cab }), /there is no catalogue/);
    writeFileSync(cab, 'MSCF');
    const found = await scan(windows, { cab });
    assert.ok(
      found.problems.some((problem) => problem.message.includes('offline catalogue knows security updates only')),
    );
    assert.equal(found.inventory?.updateSource, 'offline catalogue');
    assert.deepEqual(windows.model().agent.scanPackages, []);
  });

  test('signs of a pending restart are reported one by one, and may be ignored', async () => {
    const pending = String.raw`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`;
    const manager = String.raw`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`;
    await using windows = host([]);
    await windows.change((model) => {
      model.registry[pending] = { values: {} };
      const files = String.raw`\??\C:\Windows\Temp\a.tmp`;
      model.registry[manager] = {
        values: { PendingFileRenameOperations: { kind: 'MultiString', data: [files, ''] } },
      };
    });
    const { reboot } = await scan(windows);
    assert.equal(reboot.needed, 'yes');
    assert.deepEqual(
      reboot.signs?.map((sign) => `${sign.code} ${sign.weight}`),
      ['component-store hard', 'file-renames soft'],
    );
    assert.equal((await scan(windows, { ignore_reboot: 'component-store' })).reboot.needed, 'no');
  });

  test('drivers of printers that wait to be renamed ask for no restart, other files of Windows do', async () => {
    const manager = String.raw`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`;
    const spool = String.raw`\??\C:\Windows\system32\spool\V4Dirs\0F3A\b.gpd`;
    await using windows = host([]);
    for (const [files, needed] of [
      [[spool, ''], 'no'],
      [[spool, '', String.raw`\??\C:\Windows\system32\kernel32.dll`, ''], 'yes'],
    ] as const) {
      await windows.change((model) => {
        model.registry[manager] = {
          values: { PendingFileRenameOperations: { kind: 'MultiString', data: [...files] } },
        };
      });
      assert.equal((await scan(windows)).reboot.needed, needed);
    }
  });

  test('little space on the system drive is reported, too little prevents updates', async () => {
    await using windows = host([]);
    const told: string[] = [];
    for (const free of [20_000_000_000, 5_000_000_000, 1_000_000_000]) {
      await windows.change((model) => {
        for (const disk of model.disks) disk.free = free;
      });
      const problem = (await scan(windows)).problems.find((item) => item.code === 'disk');
      told.push(problem === undefined ? '' : `${problem.isBlocking === true} ${problem.message}`);
    }
    assert.deepEqual(told, [
      '',
      'false the system drive has 4768 MiB free, a cumulative update may need 10240 MiB',
      'true the system drive has 954 MiB free, no update can do with less than 3072 MiB',
    ]);
  });

  test('a disabled update service is named with its code', async () => {
    await using windows = host([]);
    await windows.change((model) => {
      const { wuauserv } = model.services;
      if (wuauserv !== undefined) wuauserv.startType = 'Disabled';
    });
    await assert.rejects(scan(windows), /0x80070422 a service is disabled/);
  });

  test('a disabled service of servicing blocks, and is named', async () => {
    await using windows = host([]);
    await windows.change((model) => {
      const { TrustedInstaller } = model.services;
      if (TrustedInstaller !== undefined) TrustedInstaller.startType = 'Disabled';
    });
    const { problems } = await scan(windows);
    assert.ok(
      problems.some(
        (problem) => problem.isBlocking === true && problem.message.includes('TrustedInstaller is disabled'),
      ),
    );
  });
});

describe('an installation on a Windows host', { skip }, () => {
  test('installs exactly what was asked and leaves the rest', async () => {
    await using windows = host(monthOfUpdates());
    const found = await scan(windows);
    const wanted = free(found).filter((update) => update.name !== 'KB890830');
    assert.equal((await simulate(windows, wanted)).installs.length, 2);
    const { result, updates, log } = await install(windows, wanted);
    assert.equal(result.verdict, 'ok', result.message);
    assert.deepEqual(states(updates()), ['KB5065111 installed', 'KB5065432 installed']);
    assert.match(log, /KB5065111/);
    const after = await scan(windows);
    assert.equal(after.reboot.needed, 'yes');
    assert.deepEqual(
      free(after).map((update) => update.name),
      ['KB890830'],
    );
    await windows.reboot();
    const last = await scan(windows);
    assert.equal(last.reboot.needed, 'no');
    assert.equal(last.facts.osVersion, '20348.4171');
    assert.ok(last.packages.some((item) => item.name === 'KB5065432'));
  });

  test('another revision than the approved one is drift, and nothing goes in', async () => {
    await using windows = host(monthOfUpdates());
    const wanted = free(await scan(windows));
    await windows.change((model) => {
      for (const update of model.updates) if (update.kb[0] === '5065111') update.revision = 201;
    });
    const { result } = await install(windows, wanted);
    assert.equal(result.verdict, 'drift');
    assert.equal(result.exitCode, 0);
    assert.match(result.message ?? '', /not offered any more: KB5065111/);
    assert.deepEqual(windows.model().history, []);
  });

  test('the servicing stack goes in first, small before large, exclusive ones alone', async () => {
    await using windows = host([
      anUpdate({ title: 'Large (KB5000001)', size: 900 }),
      anUpdate({ title: 'Small (KB5000002)', size: 100 }),
      anUpdate({ title: 'Alone (KB5000003)', impact: 2 }),
      anUpdate({ title: 'Servicing Stack Update (KB5000004)', impact: 2, size: 9000 }),
    ]);
    const { result } = await install(windows, free(await scan(windows)));
    assert.equal(result.verdict, 'ok', result.message);
    assert.deepEqual(history(windows), ['KB5000004', 'KB5000002', 'KB5000001', 'KB5000003']);
  });

  test('licence terms are accepted, and the log has that', async () => {
    await using windows = host([anUpdate({ title: 'Terms (KB5000001)', eulaAccepted: false })]);
    const { result, log } = await install(windows, free(await scan(windows)));
    assert.equal(result.verdict, 'ok', result.message);
    assert.match(log, /licence terms were accepted/);
  });

  test('one that fails does not stop the others, and gives the reason', async () => {
    await using windows = host([
      anUpdate({ title: 'Bad (KB5000001)', installResult: { resultCode: 4, hresult: '0x80073712' } }),
      anUpdate({ title: 'Good (KB5000002)' }),
      anUpdate({ title: 'Gone (KB5000003)', downloadResult: { resultCode: 4, hresult: '0x80244019' } }),
    ]);
    const { result, updates } = await install(windows, free(await scan(windows)));
    assert.equal(result.verdict, 'failed');
    assert.deepEqual(states(updates()), ['KB5000001 failed', 'KB5000002 installed', 'KB5000003 failed']);
    assert.match(updates()[0]?.message ?? '', /^0x80073712: the component store is damaged; .*RestoreHealth/);
    assert.match(updates()[2]?.message ?? '', /WU_E_PT_HTTP_STATUS_NOT_FOUND/);
  });

  test('what is in already is no drift', async () => {
    await using windows = host(monthOfUpdates());
    const wanted = free(await scan(windows));
    await windows.change((model) => {
      for (const update of model.updates) if (update.kb[0] === '5065111') update.isInstalled = true;
    });
    const { result, updates } = await install(windows, wanted);
    assert.equal(result.verdict, 'ok', result.message);
    assert.deepEqual(states(updates()), ['KB5065111 already', 'KB5065432 installed', 'KB890830 installed']);
  });

  test('an update that is rolled back at the reboot is reported as rolled back', async () => {
    await using windows = host([anUpdate({ title: 'Back (KB5000001)', rebootBehavior: 2, rollsBackAtReboot: true })]);
    const before = await scan(windows);
    const { updates } = await install(windows, free(before));
    const results = updates();
    assert.deepEqual(states(results), ['KB5000001 installed']);
    await windows.reboot();
    const after = await scan(windows);
    const findings = judgeVerify({
      before,
      after,
      plan: { updates: free(before).map(planned), removals: [], leftOut: [] },
      results,
      settings: {
        failedUnits: 'fail',
        listeners: 'fail',
        staleProcesses: 'fail',
        ignore: [],
        retries: 0,
        retryDelayMs: 0,
      },
      wasRebooted: true,
    });
    assert.deepEqual(
      findings.map((finding) => finding.check),
      ['rolled-back'],
    );
    assert.match(findings[0]?.message ?? '', /rolled back/);
  });

  test('refusals come before anything begins', async () => {
    const busy = await createAgent({ isBusy: true });
    await using locked = host(monthOfUpdates(), busy);
    const wanted = free(await scan(locked));
    assert.equal((await install(locked, wanted)).result.verdict, 'locked');
    const pending = await createAgent({ rebootRequiredBeforeInstallation: true });
    await using restart = host(monthOfUpdates(), pending);
    const refused = await install(restart, wanted);
    assert.equal(refused.result.verdict, 'broken-before');
    assert.match(refused.result.message ?? '', /waits for a restart.*0x80240016.*fettle reboot/);
    await using full = host(monthOfUpdates());
    await full.change((model) => {
      for (const disk of model.disks) disk.free = 1_000_000;
    });
    const disk = await install(full, wanted);
    assert.equal(`${disk.result.verdict} ${disk.result.exitCode}`, 'disk 0');
    for (const windows of [locked, restart, full]) assert.deepEqual(windows.model().history, []);
  });

  test('download only installs nothing; only what is downloaded goes in without a download', async () => {
    const [one, two] = [anUpdate({ title: 'One (KB5000001)' }), anUpdate({ title: 'Two (KB5000002)' })];
    await using windows = host([one, two]);
    const wanted = free(await scan(windows));
    const [first] = wanted;
    assert.ok(first !== undefined);
    const download = await install(windows, [first], { mode: 'download' });
    assert.equal(download.result.verdict, 'ok', download.result.message);
    assert.deepEqual(windows.model().history, []);
    assert.deepEqual(
      windows.model().updates.map((update) => update.isDownloaded),
      [true, false],
    );
    const cached = await install(windows, wanted, { mode: 'cached' });
    assert.deepEqual(states(cached.updates()), ['KB5000001 installed', 'KB5000002 not-installed']);
  });

  test('a feature update that is named is committed', async () => {
    const upgrade = anUpdate({
      title: 'Windows Server 2025',
      categories: [classification.upgrade],
      needsCommit: true,
      rebootBehavior: 1,
    });
    await using windows = host([upgrade]);
    const { updates } = await scan(windows);
    const { result } = await install(windows, updates);
    assert.equal(result.verdict, 'ok', result.message);
    await windows.reboot();
    assert.ok(windows.model().updates.some((update) => update.id === upgrade.id && update.isInstalled));
  });

  test('a row that is none is refused', async () => {
    await using windows = host(monthOfUpdates());
    const { result } = await work(windows, 'install', { rows: [['KB1', 'amd64', '1.0']] });
    assert.equal(result.verdict, 'bad-request');
  });

  test('services that stand still are started by a repair, and a refresh searches anew', async () => {
    await using windows = host(monthOfUpdates());
    const repaired = await work(windows, 'repair', windowsUpdate.repairRequest?.([], settings) ?? {});
    assert.equal(repaired.result.verdict, 'ok', repaired.result.message);
    assert.equal(windows.model().services['wuauserv']?.status, 'Running');
    const refreshed = await work(windows, 'refresh', windowsUpdate.refreshRequest?.(0) ?? {});
    assert.equal(refreshed.result.verdict, 'ok', refreshed.result.message);
    assert.match(refreshed.log, /updates on offer: 4/);
  });
});

describe('software beside Windows Update', { skip }, () => {
  test('Chocolatey lists what is outdated, and upgrades what is named', async () => {
    await using windows = host(monthOfUpdates());
    await installChocolatey(windows, [
      { name: 'git', version: '2.40.0', available: '2.41.0' },
      { name: 'nodejs', version: '20.1.0', available: '22.0.0', isPinned: true },
      { name: '7zip', version: '24.8.0' },
    ]);
    const found = await scan(windows);
    const own = found.updates.filter((update) => update.manager === 'chocolatey');
    assert.deepEqual(
      own.map((update) => `${update.name} ${update.from} ${update.to} ${update.heldBack?.kind}`),
      ['git 2.40.0 2.41.0 excluded', 'nodejs 20.1.0 22.0.0 held'],
    );
    assert.ok(found.packages.some((item) => item.name === '7zip' && item.version === '24.8.0'));
    const [git] = own;
    assert.ok(git !== undefined);
    assert.equal((await simulate(windows, [git])).installs[0]?.to, '2.41.0');
    const { result, updates } = await install(windows, [git]);
    assert.equal(result.verdict, 'ok', result.message);
    assert.deepEqual(states(updates()), ['git installed']);
    assert.equal(chocolateyVersions(windows.directory)['git'], '2.41.0');
  });

  test('Chocolatey that others than administrators could have put there is not run as SYSTEM', async () => {
    await using windows = host([]);
    await installChocolatey(windows, [{ name: 'git', version: '2.40.0', available: '2.41.0' }]);
    const root = join(windows.directory, 'c', 'ProgramData', 'chocolatey');
    // Scans that ask for something else share no answer.
    for (const [path, sddl, fields] of [
      [root, 'O:S-1-5-21-1-2-3-1001D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)', {}],
      [join(root, 'bin'), 'O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;CI;DCLCRPCR;;;BU)', { drivers: 'yes' }],
      [
        join(root, 'bin', 'choco.exe'),
        'O:BAD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;BU)',
        { source: 'windows-update' },
      ],
    ] as const) {
      const before = windows.model().acls[path] ?? '';
      await windows.change((model) => {
        model.acls[path] = sddl;
      });
      const { updates, problems } = await scan(windows, fields);
      assert.deepEqual(updates, []);
      assert.ok(
        problems.some(({ message }) => /^chocolatey could not be asked: .* is not run, since others/.test(message)),
        sddl,
      );
      await windows.change((model) => {
        model.acls[path] = before;
      });
    }
  });

  test('winget is read by the columns of its tables, names of any script and cut ones too', async () => {
    const heading = 'Name                 Id                  Version Verf\u00fcgbar Quelle';
    const rule = '-'.repeat(60);
    const rows = [
      'Mozilla Firefox (x6\u2026 Mozilla.Firefox     130.0   131.0.2   winget',
      'Caf\u00e9                 Contoso.Cafe        1.0     1.1       winget',
    ];
    const table = `${[heading, rule, ...rows].join('\r\n')}\r\n`;
    await using windows = host([]);
    installWinget(windows.directory, table, `${table}2 Aktualisierungen verf\u00fcgbar.\r\n`);
    const { updates } = await scan(windows);
    assert.deepEqual(
      updates.map((update) => `${update.name} ${update.manager} ${update.from} ${update.to}`),
      ['Contoso.Cafe winget 1.0 1.1', 'Mozilla.Firefox winget 130.0 131.0.2'],
    );
  });
});
