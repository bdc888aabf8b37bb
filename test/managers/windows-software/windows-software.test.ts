import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeDrift } from '../../../src/domain/drift.ts';
import type { JobResult } from '../../../src/domain/job.ts';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import { gapsOf } from '../../../src/domain/scan.ts';
import type { HostScan } from '../../../src/domain/scan.ts';
import type { Simulation } from '../../../src/domain/simulation.ts';
import { chocolatey } from '../../../src/managers/chocolatey/chocolatey.ts';
import { unscannedManagers } from '../../../src/managers/host-scan.ts';
import { winget } from '../../../src/managers/winget/winget.ts';
import { probeSections, record, scanOf } from '../../fixtures/managers/windows-update/sections.ts';

const whole = { phase: 'done', version: '2.4.1', listCode: 0, outdatedCode: 0, limit: 180 };
const installed = 'git|2.40.0\r\nnodejs|20.1.0\r\n7zip|24.8.0\r\n';
const outdated = 'git|2.40.0|2.41.0|false\r\nnodejs|20.1.0|22.0.0|true\r\n';
const table = [
  'Name     Id               Version  Available Source',
  '----------------------------------------------------',
  'Firefox  Mozilla.Firefox  130.0    131.0.2   winget',
].join('\r\n');

/** The section of a manager as the scan task writes it. */
function lists(wanted: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ ...whole, installed, outdated, ...wanted });
}

function scanWith(sections: Readonly<Record<string, string>>): HostScan {
  const names = ['windows-update', ...Object.keys(sections)].join('\n');
  return scanOf({ updates: [record(1)], sections: { managers: names, scanned: names, ...sections } });
}

const settings = {
  timeoutMs: 3_600_000,
  lockWaitMs: 1_500,
  conffile: 'keep-old',
  onDrift: 'refuse-host',
  restartServices: 'never',
  maxAgeMs: 1,
} as const;

function planned(name: string, from: string, to: string): PlannedUpdate {
  return {
    ...{ manager: 'chocolatey', name, arch: '', from, to, class: 'unknown', origins: ['chocolatey'] },
    ...{ isKernel: false, reason: 'included', untried: false },
  };
}

describe('a host with three package managers', () => {
  test('has one list of packages and updates, each with the name of its manager', () => {
    const scan = scanWith({ chocolatey: lists(), winget: lists({ installed: table, outdated: table }) });
    assert.deepEqual(scan.managers, ['windows-update', 'chocolatey', 'winget']);
    assert.deepEqual(
      scan.updates.map(({ manager, name, from, to, heldBack }) => `${manager} ${name} ${from} ${to} ${heldBack?.kind}`),
      [
        'windows-update KB5000001  200 undefined',
        'chocolatey git 2.40.0 2.41.0 excluded',
        'chocolatey nodejs 20.1.0 22.0.0 held',
        'winget Mozilla.Firefox 130.0 131.0.2 excluded',
      ],
    );
    assert.deepEqual(
      scan.packages
        .filter(({ manager }) => manager !== 'programs')
        .map(({ manager, name, state, isHeld, unattended }) => `${manager} ${name} ${state} ${isHeld} ${unattended}`),
      [
        'chocolatey git installed undefined undefined',
        'chocolatey nodejs installed true undefined',
        'chocolatey 7zip installed undefined undefined',
        'winget Mozilla.Firefox installed undefined changes',
      ],
    );
    assert.deepEqual(gapsOf(scan), []);
    assert.equal(scan.securityKnown, true);
    assert.equal(scan.inventory?.updateSource, 'Windows Server Update Service');
  });

  test('is asked again for one whose script it was not sent', () => {
    const answer = probeSections({ sections: { managers: 'windows-update\nwinget', scanned: 'windows-update' } });
    assert.deepEqual(unscannedManagers(answer), ['winget']);
  });

  test('names those that could not be queried, and lacks nothing of the others', () => {
    const scan = scanWith({
      chocolatey: JSON.stringify({ phase: 'failed', why: 'choco.exe is not run' }),
      winget: JSON.stringify({ phase: 'lost', why: '' }),
    });
    assert.deepEqual(gapsOf(scan), [
      'chocolatey could not be asked: choco.exe is not run',
      'winget could not be asked: it ended without an answer',
    ]);
    assert.deepEqual([scan.updates.length, scan.securityKnown], [1, true]);
  });

  test('lists that are late or that failed leave a gap, lists that are empty or have outdated packages do not', () => {
    const late = scanWith({ chocolatey: lists({ outdatedCode: -1, outdatedTimedOut: true }) });
    assert.deepEqual(gapsOf(late), ['chocolatey did not finish its list of newer versions within 180 s']);
    const failed = scanWith({ winget: lists({ installed: 'no source', listCode: 0x8a15_0001 | 0 }) });
    assert.deepEqual(gapsOf(failed), [
      'winget could not make its list of installed software (status 0x8A150001): no source',
    ]);
    for (const [name, code] of [
      ['chocolatey', 2],
      ['winget', 0x8a15_0014 | 0],
    ] as const) {
      assert.deepEqual(gapsOf(scanWith({ [name]: lists({ listCode: code, outdatedCode: code }) })), [], name);
    }
  });

  test('lists that are still being made are waited for', () => {
    assert.throws(() => scanWith({ winget: JSON.stringify({ phase: 'running', why: '' }) }), {
      code: 'timeout',
      message: 'winget is still making its lists on it',
    });
  });
});

describe('the simulation of software', () => {
  const [git, node] = [planned('git', '2.40.0', '2.41.0'), planned('nodejs', '20.1.0', '22.0.0')];

  function simulate(asked: string, section = lists()): Simulation {
    return chocolatey.parseSimulation(new Map(Object.entries({ asked, chocolatey: section })));
  }

  test('the versions that the newest list offers are as planned, names in any case', () => {
    const simulation = simulate('Git 2.41.0\nnodejs 22.0.0');
    assert.deepEqual(
      simulation.installs.map(({ manager, name, arch, from, to }) => [manager, name, arch, from, to]),
      [
        ['chocolatey', 'Git', '', '2.40.0', '2.41.0'],
        ['chocolatey', 'nodejs', '', '20.1.0', '22.0.0'],
      ],
    );
    const judgement = judgeDrift({
      plan: { updates: [git, node], removals: [] },
      simulation: simulate('git 2.41.0\nnodejs 22.0.0'),
      onDrift: 'refuse-host',
    });
    assert.ok(judgement.kind === 'clean');
    assert.equal(judgement.install.length, 2);
  });

  test('another version on offer is drift, and may be followed', () => {
    const simulation = simulate('git 2.41.0', lists({ outdated: 'git|2.40.0|2.42.0|false\n' }));
    const input = { plan: { updates: [git], removals: [] }, simulation };
    assert.equal(judgeDrift({ ...input, onDrift: 'refuse-host' }).kind, 'drifted');
    const judgement = judgeDrift({ ...input, onDrift: 'supersede' });
    assert.ok(judgement.kind === 'adjusted');
    assert.equal(judgement.superseded[0]?.successor.to, '2.42.0');
  });

  test('what is in is done, what was uninstalled has passed', () => {
    const done = simulate('git 2.41.0', lists({ installed: 'git|2.41.0\n', outdated: '' }));
    assert.deepEqual({ ...done.installed }, { 'chocolatey/git:': { version: '2.41.0', state: 'installed' } });
    assert.deepEqual({ ...simulate('gone 1.0').installed }, { 'chocolatey/gone:': null });
  });

  test('incomplete lists are refused', () => {
    assert.throws(() => simulate('git 2.41.0', lists({ listCode: 1 })), { code: 'command', message: /could not make/ });
    assert.throws(() => simulate('git 2.41.0', JSON.stringify({ phase: 'absent' })), {
      code: 'command',
      message: 'chocolatey could not be asked: it is not there any more',
    });
  });

  test('what the host repeats in other words is a parse error', () => {
    for (const asked of ['git', 'git 2.41.0 x']) assert.throws(() => simulate(asked), { code: 'parse' });
  });
});

describe('the result of installing software', () => {
  const update = planned('git', '2.40.0', '2.41.0');

  function read(item: Readonly<Record<string, unknown>> | undefined, after: string | undefined): readonly unknown[] {
    const items = item === undefined ? [] : [{ name: 'git', version: '2.41.0', code: 0, words: '', ...item }];
    const sections = { results: JSON.stringify({ items }), ...(after === undefined ? {} : { after }) };
    const result: JobResult = { exitCode: 0, verdict: 'ok', sections };
    const [found] = chocolatey.readInstall(result, [update], [update]);
    return [found?.state, found?.now, found?.message];
  }

  const at = (version: string): string => lists({ installed: `Git|${version}\n`, outdated: '' });
  const cases: readonly (readonly [
    string,
    Readonly<Record<string, unknown>> | undefined,
    string | undefined,
    unknown[],
  ])[] = [
    ['what went in is installed', { outcome: 'installed' }, at('2.41.0'), ['installed', '2.41.0', undefined]],
    [
      'what reports success and stands at another version failed',
      { outcome: 'installed' },
      at('2.40.0'),
      ['failed', '2.40.0', 'it reported success and is at 2.40.0'],
    ],
    [
      'what failed and is in all the same is installed',
      { outcome: 'failed', code: 1 },
      at('2.41.0'),
      ['installed', '2.41.0', undefined],
    ],
    [
      'what failed has its status',
      { outcome: 'failed', code: -1978335226 },
      at('2.40.0'),
      ['failed', '2.40.0', 'status 0x8A150006'],
    ],
    [
      'what was not begun has the reason',
      { outcome: 'not-attempted', words: 'the time for the installation is over' },
      at('2.40.0'),
      ['not-installed', '2.40.0', 'the time for the installation is over'],
    ],
    ['what was in already is there', undefined, at('2.41.0'), ['already', '2.41.0', undefined]],
    [
      'without a list after it the job is believed',
      { outcome: 'installed' },
      undefined,
      ['installed', '2.41.0', undefined],
    ],
    [
      'so it is with one that is not whole',
      { outcome: 'installed' },
      lists({ listTimedOut: true }),
      ['installed', '2.41.0', undefined],
    ],
  ];
  for (const [title, item, after, expected] of cases) {
    test(title, () => {
      assert.deepEqual(read(item, after), expected);
    });
  }

  test('a result without its list is a parse error', () => {
    const result: JobResult = { exitCode: 0, verdict: 'ok', sections: {} };
    assert.throws(() => chocolatey.readInstall(result, [update], [update]), { code: 'parse' });
  });
});

describe('requests for software', () => {
  test('name exactly the packages and versions, and the time', () => {
    const updates = [planned('git', '2.40.0', '2.41.0')];
    assert.deepEqual(chocolatey.installRequest(updates, settings), {
      fields: { lock_wait: 2, limit: 3600 },
      rows: [['git', '2.41.0']],
    });
    assert.deepEqual(winget.simulateRequest(updates), { rows: [['git', '2.41.0']] });
  });

  test('there is nothing to refresh, to repair or to download ahead, and what cannot be promised is described', () => {
    for (const manager of [chocolatey, winget]) {
      assert.ok(!('refreshRequest' in manager) && !('repairRequest' in manager));
      assert.equal(manager.installModes, undefined);
      assert.match(manager.limits.simulation ?? '', /depends on/);
      assert.match(manager.limits.securityClass ?? '', /security/);
    }
  });
});
