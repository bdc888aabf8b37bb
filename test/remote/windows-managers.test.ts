// Several package managers on one simulated Windows host: whose scripts it is sent, whose answers it keeps, and that the
// work of one is no work of another.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gapsOf } from '../../src/domain/scan.ts';
import { readHostScan, unscannedManagers } from '../../src/managers/host-scan.ts';
import { inPowerShell } from '../../src/remote/scripts.ts';
import { windowsManagers } from '../../src/remote/windows-parts.ts';
import { monthOfUpdates } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import type { WindowsHost } from '../support/windows/host.ts';
import { chocolateyVersions, installChocolatey, installWinget, wingetCalls } from '../support/windows/packages.ts';
import { ask, free, host, install, scan, simulate, states, work } from '../support/windows/patching.ts';

const skip = skipWithoutDotnet;
const git = { name: 'git', version: '2.40.0', available: '2.41.0' };
const table = [
  'Name     Id               Version  Available Source',
  '----------------------------------------------------',
  'Firefox  Mozilla.Firefox  130.0    131.0.2   winget',
  '',
].join('\r\n');

/** Words by which the part of each package manager is known. */
const marks = {
  'windows-update': /Microsoft\.Update\.|CreateUpdate/,
  chocolatey: /--limit-output/,
  winget: /--accept-source-agreements/,
} as const;

function answers(windows: WindowsHost): readonly string[] {
  const folder = join(windows.directory, 'c', 'Program Files', 'fettle', 'scan');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
}

describe('what a Windows host is sent', () => {
  test('has lists and installs of its own package managers alone', () => {
    for (const own of windowsManagers) {
      for (const [name, verb] of [
        ['probe', 'probe'],
        ['probe', 'simulate'],
        ['job', 'start'],
      ] as const) {
        const { text } = inPowerShell({ name }, { verb, managers: [own] });
        for (const [manager, mark] of Object.entries(marks)) {
          assert.equal(mark.test(text), manager === own, `${name} ${verb} for ${own}: ${manager}`);
        }
      }
    }
  });

  test('has nothing of them where no package manager is asked', () => {
    for (const [name, verb] of [
      ['probe', 'boot'],
      ['probe', 'summary'],
      ['job', 'start'],
      ['job', 'follow'],
    ] as const) {
      const { text } = inPowerShell({ name }, { verb, managers: [] });
      for (const mark of Object.values(marks)) assert.doesNotMatch(text, mark, `${name} ${verb}`);
    }
  });
});

describe('a Windows host with several package managers', { skip }, () => {
  test('names those whose part it was not sent, and answers for them when asked once more', async () => {
    await using windows = host(monthOfUpdates());
    await installChocolatey(windows, [git]);
    installWinget(windows.directory, table, table);
    const first = await ask(windows, { verb: 'probe', managers: ['windows-update'] });
    assert.deepEqual(unscannedManagers(first), ['chocolatey', 'winget']);
    assert.equal(first.has('chocolatey'), false);
    const managers = ['chocolatey', 'winget'];
    const second = await ask(windows, { verb: 'probe', managers, fields: { only: 'yes' } });
    assert.equal(second.has('windows'), false);
    const scanned = `${first.get('scanned') ?? ''}\n${second.get('scanned') ?? ''}`;
    const found = readHostScan(new Map([...first, ...second, ['scanned', scanned]]), {
      collectedMs: Date.now(),
      maxAgeMs: 86_400_000,
    });
    assert.deepEqual(found.managers, ['windows-update', 'chocolatey', 'winget']);
    assert.deepEqual(
      found.updates.filter((update) => update.manager !== 'windows-update').map((update) => update.name),
      ['git', 'Mozilla.Firefox'],
    );
    assert.deepEqual(gapsOf(found), []);
  });

  test('has no other package manager than Windows Update where software is not asked for', async () => {
    await using windows = host([]);
    await installChocolatey(windows, [git]);
    const managers = ['windows-update', 'chocolatey'];
    const sections = await ask(windows, { verb: 'probe', managers, fields: { software: 'no' } });
    assert.deepEqual([sections.get('managers'), sections.get('scanned')], ['windows-update', 'windows-update']);
  });

  test('forgets one that was uninstalled, and a simulation of it is refused', async () => {
    await using windows = host([]);
    await installChocolatey(windows, [git]);
    const found = await scan(windows);
    assert.deepEqual(found.managers, ['windows-update', 'chocolatey']);
    rmSync(join(windows.directory, 'c', 'ProgramData', 'chocolatey'), { recursive: true });
    for (const name of answers(windows)) {
      rmSync(join(windows.directory, 'c', 'Program Files', 'fettle', 'scan', name));
    }
    await assert.rejects(simulate(windows, found.updates), {
      code: 'command',
      message: 'chocolatey could not be asked: it is not there any more',
    });
    assert.deepEqual((await scan(windows)).managers, ['windows-update']);
  });

  test('simulates software without a search for updates', async () => {
    await using windows = host(monthOfUpdates());
    await installChocolatey(windows, [git]);
    const wanted = (await scan(windows)).updates.filter((update) => update.manager === 'chocolatey');
    await windows.change((model) => {
      model.agent.searchFault = '0x8024402C';
      model.agent.searchFaultTimes = -1;
    });
    const { installs } = await simulate(windows, wanted);
    assert.deepEqual(
      installs.map(({ name, from, to }) => [name, from, to]),
      [['git', '2.40.0', '2.41.0']],
    );
  });

  test('reports missing software where no task can be started, and only then', async () => {
    await using windows = host(monthOfUpdates(), { taskFault: '0x80041326' });
    assert.deepEqual(gapsOf(await scan(windows)), []);
    await installChocolatey(windows, [git]);
    const found = await scan(windows);
    assert.match(
      gapsOf(found).join(),
      /^chocolatey could not be asked: no task could be started as SYSTEM: 0x80041326/,
    );
    assert.equal(free(found).length, 3);
  });

  test('is installed by one package manager at a time, after which no older answer stands for any', async () => {
    await using windows = host(monthOfUpdates());
    await installChocolatey(windows, [git]);
    installWinget(windows.directory, table, table);
    const found = await scan(windows);
    assert.deepEqual(answers(windows), ['chocolatey.json', 'windows-update.json', 'winget.json']);
    const { result, updates } = await install(
      windows,
      found.updates.filter((update) => update.manager === 'chocolatey'),
    );
    assert.equal(result.verdict, 'ok', result.message);
    assert.deepEqual(states(updates()), ['git installed']);
    assert.deepEqual(answers(windows), ['chocolatey.json']);
    assert.deepEqual(windows.model().history, []);
    const own = free(found);
    await install(windows, own);
    assert.equal(windows.model().history.length, own.length);
    assert.deepEqual(answers(windows), ['windows-update.json']);
    assert.deepEqual(wingetCalls(windows.directory), []);
  });

  test('is installed by winget with exactly the id and the version, and a restart that is due is no failure', async () => {
    await using windows = host([]);
    installWinget(windows.directory, table, table, {
      upgradeExit: -1978334967,
      upgraded: table.replace('130.0  ', '131.0.2'),
    });
    const { updates } = await scan(windows);
    const done = await install(windows, updates);
    assert.equal(done.result.verdict, 'ok', `${done.result.message} ${done.log}`);
    assert.deepEqual(states(done.updates()), ['Mozilla.Firefox installed']);
    assert.match(
      wingetCalls(windows.directory).join('\n'),
      /^upgrade --id Mozilla\.Firefox --exact --version 131\.0\.2 /,
    );
    assert.match(done.result.sections['results'] ?? '', /"needsReboot":true/);
  });

  test('keeps what failed apart from what went in, each with its status', async () => {
    await using windows = host([]);
    await installChocolatey(windows, [git, { name: 'bad', version: '1.0', available: '2.0', exitCode: 1603 }]);
    const done = await install(windows, (await scan(windows)).updates);
    assert.equal(done.result.verdict, 'failed');
    assert.equal(done.result.message, 'bad failed with status 1603');
    assert.deepEqual(states(done.updates()), ['bad failed', 'git installed']);
    assert.equal(chocolateyVersions(windows.directory)['git'], '2.41.0');
  });

  test('refuses rows, modes and package managers that are not those of the job', async () => {
    await using windows = host([]);
    await installChocolatey(windows, [git]);
    for (const [request, manager, message] of [
      [{ rows: [['git', '--pre']] }, 'chocolatey', /not name and version/],
      [{ rows: [['git', '1.0', 'x']] }, 'chocolatey', /not name and version/],
      [{ rows: [['git', '2.41.0']], fields: { mode: 'download' } }, 'chocolatey', /cannot download ahead/],
      [{ rows: [['git', '2.41.0']] }, 'winget', /winget is not there any more/],
      [{ rows: [['git', '2.41.0']] }, 'yum', /no package manager yum/],
      [{ rows: [['git', '2.41.0']] }, 'windows-update', /not name, update id and revision/],
    ] as const) {
      const { result } = await work(windows, 'install', request, manager);
      assert.notEqual(result.verdict, 'ok', manager);
      assert.match(result.message ?? '', message);
    }
    const { result } = await work(windows, 'refresh', {}, 'chocolatey');
    assert.equal(result.verdict, 'bad-request');
    assert.equal(chocolateyVersions(windows.directory)['git'], '2.40.0');
  });

  test('is found by SYSTEM where the session may not read the folder', async () => {
    await using windows = host([]);
    // What the last scan left: the session finds nothing by itself.
    const folder = join(windows.directory, 'c', 'Program Files', 'fettle', 'scan');
    await scan(windows);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'found'), 'winget');
    const sections = await ask(windows, { verb: 'summary' });
    assert.equal(sections.get('managers'), 'windows-update\nwinget');
  });
});
