import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeDrift } from '../../../src/domain/drift.ts';
import { FettleError } from '../../../src/domain/error.ts';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import type { Update } from '../../../src/domain/update.ts';
import { packageKey } from '../../../src/domain/update.ts';
import { readHostScan } from '../../../src/managers/host-scan.ts';
import { windowsUpdate } from '../../../src/managers/windows-update/windows-update.ts';
import { epochSec, record, scanOf, scanText, updateId } from '../../fixtures/managers/windows-update/sections.ts';
import type { Answer } from '../../fixtures/managers/windows-update/sections.ts';

const nowMs = epochSec * 1000;
const dayMs = 86_400_000;
const scan = scanOf;

function onlyUpdate(wanted: Readonly<Record<string, unknown>>): Update {
  const [update] = scan({ updates: [record(1, wanted)] }).updates;
  assert.ok(update !== undefined);
  return update;
}

function fails(action: () => unknown, code: string, words: RegExp): FettleError {
  let caught: unknown;
  try {
    action();
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof FettleError, 'it did not fail');
  assert.equal(caught.code, code);
  assert.match(caught.message, words);
  return caught;
}

describe('what Windows Update offers', () => {
  test('an update is named by its KB number, its id and its revision', () => {
    const update = onlyUpdate({ cves: ['CVE-2026-21001'], severity: 'Critical' });
    assert.deepEqual(update, {
      manager: 'windows-update',
      name: 'KB5000001',
      arch: updateId(1),
      from: '',
      to: '200',
      origins: ['Windows Server Update Service'],
      class: 'security',
      isKernel: false,
      title: '2026-09 Security Update (KB5000001)',
      severity: 'critical',
      vendorSeverity: 'Critical',
      advisories: [
        {
          id: 'KB5000001',
          kind: 'security',
          issuedMs: Date.parse('2026-09-08T17:00:00Z'),
          url: 'https://support.microsoft.com/help/5000001',
        },
      ],
      classification: 'security',
      sizeBytes: 1_000_000,
      cves: ['CVE-2026-21001'],
      isDownloaded: false,
    });
  });

  test('an update without a KB number is named by its id and has no article', () => {
    const update = onlyUpdate({ kb: [] });
    assert.equal(update.name, updateId(1));
    assert.equal(update.advisories, undefined);
  });

  test('its severity is on the common scale only where the word of the publisher is known', () => {
    const severities = ['Important', 'MODERATE', 'low', 'Unspecified', ''].map((severity) => {
      const update = onlyUpdate({ severity });
      return [update.severity, update.vendorSeverity];
    });
    assert.deepEqual(severities, [
      ['important', 'Important'],
      ['moderate', 'MODERATE'],
      ['low', 'low'],
      [undefined, 'Unspecified'],
      [undefined, undefined],
    ]);
  });

  test('the kind of an article follows the classification of its update', () => {
    const kinds = ['critical', 'rollup', 'update', 'feature-pack', 'driver', 'constructor'].map(
      (classification) => onlyUpdate({ classification, severity: '' }).advisories?.[0]?.kind,
    );
    assert.deepEqual(kinds, ['bugfix', 'bugfix', 'bugfix', 'enhancement', 'other', 'other']);
  });

  test('the class comes from the classification and the severity, never from a title', () => {
    assert.equal(onlyUpdate({ classification: 'update', severity: '', title: 'Security Update' }).class, 'other');
    assert.equal(onlyUpdate({ classification: 'rollup', severity: 'Low' }).class, 'security');
  });

  test('of two revisions of one update the newer one is offered', () => {
    const { updates } = scan({ updates: [record(1), record(1, { revision: 201 }), record(1, { revision: 199 })] });
    assert.deepEqual(
      updates.map((update) => update.to),
      ['201'],
    );
  });

  const excluded: readonly (readonly [string, Record<string, unknown>, RegExp, string])[] = [
    ['a feature upgrade', { classification: 'upgrade' }, /feature upgrade/, 'id'],
    ['what calls itself a new Windows', { title: 'Windows Server 2025 (KB5044284)' }, /feature upgrade/, 'id'],
    ['a driver', { type: 2 }, /driver/, 'name'],
    ['an optional update', { browseOnly: true }, /optional/, 'name'],
    ['an optional installation', { deploymentAction: 4 }, /optional/, 'name'],
    ['an uninstallation', { deploymentAction: 2 }, /remove/, 'id'],
    ['an update for one user', { perUser: true }, /one user/, 'name'],
    ['an update that asks questions', { canRequestUserInput: true }, /questions/, 'name'],
    ['a hidden update', { isHidden: true }, /hidden/, 'name'],
    ['a beta', { isBeta: true }, /beta/, 'name'],
    ['definitions', { classification: 'definition' }, /definitions/, 'name'],
    ['definitions by their KB number', { kb: ['2267602'], classification: 'update' }, /definitions/, 'name'],
    ['an update of the recovery environment', { kb: ['5034441'] }, /recovery/, 'name'],
    ['what does not report whether it is a driver', { type: null }, /could not determine its type/, 'name'],
    ['what could not be determined', { readErrors: ['BrowseOnly 0x80070057'] }, /could not determine its type/, 'name'],
    [
      'what may or may not ask',
      { readErrors: ['CanRequestUserInput 0x80070057'] },
      /could not determine its type/,
      'name',
    ],
  ];
  for (const [title, wanted, reason, unless] of excluded) {
    test(`${title} does not go in by itself`, () => {
      const { heldBack } = onlyUpdate(wanted);
      assert.ok(heldBack?.kind === 'excluded');
      assert.match(heldBack.reason, reason);
      assert.equal(heldBack.unless, unless);
    });
  }

  test('of an old and a new update the one that replaces the other is enough', () => {
    const { updates } = scan({ updates: [record(1), record(2, { supersedes: [updateId(1).toUpperCase()] })] });
    assert.deepEqual(
      updates.map(({ name, heldBack }) => [name, heldBack]),
      [
        ['KB5000001', { kind: 'excluded', reason: 'KB5000002 replaces it', unless: 'name' }],
        ['KB5000002', undefined],
      ],
    );
  });

  test('an update stays in when what replaces it would not go in, or may not be wanted', () => {
    const replaced = { supersedes: [updateId(1)] };
    for (const wanted of [{ browseOnly: true }, { classification: 'update', severity: '' }]) {
      const { updates } = scan({ updates: [record(1), record(2, { ...replaced, ...wanted })] });
      assert.equal(updates[0]?.heldBack, undefined);
    }
  });

  test('an ordinary title that ends in the name of a Windows is no upgrade', () => {
    assert.equal(onlyUpdate({ title: '2026-09 Cumulative Update for Windows Server 2016' }).heldBack, undefined);
  });

  test('an unreadable size keeps nothing out', () => {
    const update = onlyUpdate({ readErrors: ['MaxDownloadSize 0x80070057'], sizeMax: null });
    assert.equal(update.heldBack, undefined);
    assert.equal(update.sizeBytes, undefined);
  });

  test('an object without identity is counted and left out', () => {
    const { updates, problems } = scan({ updates: [record(1), { title: 'x' }, { ...record(2), revision: '200' }] });
    assert.equal(updates.length, 1);
    assert.ok(problems.some((problem) => problem.message.includes('2 updates could not be read')));
  });
});

describe('what is installed', () => {
  test('an installed update and one that waits for a restart both stand at their revision', () => {
    const found = scan({
      updates: [record(2, { rebootRequired: true })],
      installed: [record(1, { isInstalled: true })],
    });
    const own = found.packages.filter((item) => item.source === 'windows-update');
    assert.deepEqual(
      own.map((item) => `${item.name} ${item.version} ${item.unattended}`),
      ['KB5000001 200 leaves', 'KB5000002 200 leaves'],
    );
    assert.equal(found.updates.length, 0);
    assert.equal(found.reboot.needed, 'yes');
  });

  test('where the search for installed updates failed the history stands for it', () => {
    const history = [
      { id: updateId(7), revision: 5, title: 'Update (KB5000007)', operation: 1, resultCode: 2 },
      { id: updateId(8), revision: 5, title: 'Update (KB5000008)', operation: 1, resultCode: 4 },
    ];
    const warnings = [{ context: 'installed', code: '0x80248007', message: '' }];
    const { packages, problems } = scan({ scan: { history, warnings } });
    assert.ok(packages.some((item) => item.name === 'KB5000007' && item.version === '5'));
    assert.ok(!packages.some((item) => item.name === 'KB5000008'));
    assert.ok(problems.some((problem) => problem.message.includes('data is missing in the data store')));
  });

  test('past the server of a policy its source is Windows Update, listed or not', () => {
    const wsus = { id: 'wsus', name: 'WSUS', isManaged: true, isDefault: true };
    const listed = { id: '9482f4b4-e343-43b6-b170-9a65bc822c77', name: 'Windows Update (listed)' };
    const sourceOf = (source: object): unknown => scan({ scan: { source } }).inventory?.updateSource;
    assert.equal(sourceOf({ selection: 0, serviceId: '', services: [listed, wsus] }), 'WSUS');
    assert.equal(sourceOf({ selection: 2, serviceId: '', services: [wsus] }), 'Windows Update');
    assert.equal(sourceOf({ selection: 2, serviceId: '', services: [wsus, listed] }), 'Windows Update (listed)');
  });

  test('its own history is reported with the result of each entry, what has no time left out', () => {
    const at = '2026-09-10T03:00:00.0000000Z';
    const base = {
      id: updateId(7),
      revision: 5,
      title: 'Update (KB5000007)',
      operation: 1,
      client: 'UpdateOrchestrator',
      at,
    };
    const { history } = scan({
      scan: {
        history: [
          { ...base, resultCode: 2, code: '0x00000000' },
          { ...base, id: updateId(8), title: 'Acme', resultCode: 4, code: '0x80070643', operation: 2 },
          { ...base, at: '' },
          { ...base, id: 'x' },
        ],
      },
    });
    assert.deepEqual(
      history?.map(({ name, operation, result, client, atMs }) => [name, operation, result, client, atMs]),
      [
        ['KB5000007', 'install', 'succeeded', 'UpdateOrchestrator', Date.parse(at)],
        [updateId(8), 'uninstall', 'failed', 'UpdateOrchestrator', Date.parse(at)],
      ],
    );
    assert.match(history[1]?.message ?? '', /^0x80070643 /);
    assert.equal(history[0]?.message, undefined);
  });

  test('programs, hotfixes and the build are there and may change by themselves', () => {
    const inventory = {
      programs: [{ name: '7-Zip 24.08 (x64)', version: '24.08', publisher: 'Igor Pavlov', bits: 64 }],
      hotfixes: [{ id: 'KB5031364', kind: 'Update' }, { id: 'File 1' }],
    };
    const { packages } = scan({ windows: { inventory } });
    assert.deepEqual(
      packages.map((item) => `${packageKey(item)} ${item.version} ${item.unattended}`),
      [
        'programs/windows:system 20348.4052 changes',
        'programs/7-Zip 24.08 (x64):x64 24.08 changes',
        'programs/KB5031364:hotfix installed changes',
      ],
    );
  });
});

describe('a search that brought nothing', () => {
  const cases: readonly (readonly [string, Record<string, unknown>, string, RegExp])[] = [
    ['that was denied', { phase: 'denied' }, 'elevate', /administrator/],
    ['that goes on', { phase: 'running' }, 'timeout', /still searching/],
    ['that was lost', { phase: 'lost' }, 'command', /without an answer/],
    ['of an unknown phase', { phase: 'other' }, 'command', /without an answer/],
    [
      'that failed',
      { failure: { code: '0x8024402C', message: 'Exception from HRESULT' } },
      'command',
      /0x8024402C a host name cannot be resolved/,
    ],
    ['of empty objects', { isBlind: true }, 'command', /empty objects/],
  ];
  for (const [title, told, code, words] of cases) {
    test(`${title} is an error, never the absence of updates`, () => {
      const error = fails(() => scan({ scan: told }), code, words);
      assert.notEqual(error.hint, undefined);
    });
  }

  test('what is no JSON, or no object, is a parse error', () => {
    for (const text of ['', '{', '[]', '"x"', 'null']) {
      fails(() => scan({ sections: { 'windows-update': text } }), 'parse', /is not (valid JSON|a JSON object)/);
    }
    const sections = new Map(Object.entries({ family: 'windows', managers: 'windows-update' }));
    fails(() => readHostScan(sections, { collectedMs: nowMs, maxAgeMs: dayMs }), 'parse', /no section/);
  });

  test('a host that lists more updates than there are is refused', () => {
    fails(() => scan({ updates: Array.from({ length: 20_001 }, () => ({})) }), 'parse', /no host has/);
  });

  test('names that mean something to JavaScript are no values', () => {
    const found = scan({ updates: [JSON.parse(`{"__proto__":{"id":"${updateId(1)}","revision":1}}`)] });
    assert.equal(found.updates.length, 0);
  });
});

describe('the simulation', () => {
  const planned: PlannedUpdate = {
    manager: 'windows-update',
    name: 'KB5000001',
    arch: updateId(1),
    from: '',
    to: '200',
    class: 'security',
    origins: ['Windows Server Update Service'],
    isKernel: false,
    reason: 'security',
    untried: false,
  };

  function judge(answer: Answer, asked = `KB5000001 ${updateId(1)} 200`): ReturnType<typeof judgeDrift> {
    const simulation = windowsUpdate.parseSimulation(
      new Map(Object.entries({ asked, 'windows-update': scanText(answer) })),
    );
    return judgeDrift({ plan: { updates: [planned], removals: [] }, simulation, onDrift: 'refuse-host' });
  }

  test('what is still on offer is as planned', () => {
    const judgement = judge({ updates: [record(1), record(2)] });
    assert.ok(judgement.kind === 'clean');
    assert.equal(judgement.install.length, 1);
  });

  test('what is in, or waits for a restart, is done', () => {
    for (const answer of [{ installed: [record(1)] }, { updates: [record(1, { rebootRequired: true })] }]) {
      const judgement = judge(answer);
      assert.ok(judgement.kind === 'clean');
      assert.equal(judgement.done.length, 1);
    }
  });

  test('another revision, or none, is drift', () => {
    for (const answer of [{ updates: [record(1, { revision: 201 })] }, { updates: [] }]) {
      const judgement = judge(answer);
      assert.ok(judgement.kind === 'drifted');
      assert.match(judgement.reasons.join(), /KB5000001:\S+ 200 has left the repository/);
    }
  });

  test('a newer revision of the same source follows where the playbook sets supersede', () => {
    const wua = scanText({ updates: [record(1, { revision: 201 })] });
    const simulation = windowsUpdate.parseSimulation(
      new Map(Object.entries({ asked: `KB5000001 ${updateId(1)} 200`, 'windows-update': wua })),
    );
    const judgement = judgeDrift({ plan: { updates: [planned], removals: [] }, simulation, onDrift: 'supersede' });
    assert.ok(judgement.kind === 'adjusted');
    assert.equal(judgement.superseded[0]?.successor.to, '201');
  });

  test('bytes are those that are not downloaded yet', () => {
    const asked = `KB5000001 ${updateId(1)} 200\nKB5000002 ${updateId(2)} 200`;
    const wua = scanText({ updates: [record(1), record(2, { isDownloaded: true })] });
    const { downloadBytes } = windowsUpdate.parseSimulation(new Map(Object.entries({ asked, 'windows-update': wua })));
    assert.equal(downloadBytes, 1_000_000);
  });
});

describe('facts of a Windows host', () => {
  test('build and revision, names and identities', () => {
    const { facts, privileges } = scan();
    assert.deepEqual(facts, {
      hostName: 'WEB01',
      family: 'windows',
      osId: 'windows-server',
      osVersion: '20348.4052',
      osName: 'Microsoft Windows Server 2022 Standard 21H2',
      kernel: '10.0.20348.4052',
      arch: 'amd64',
      init: 'services',
      isContainer: false,
      virtualization: 'vmware',
      machineId: '0f8fad5bd9cb469fa16570867728950e',
      bootId: '48bc4e28-c96d-427d-bf79-638c01bdf785',
      dmiUuid: '4c4c4544-0043-4210-8031-b4c04f564231',
      uptimeSec: 518_401,
      clockSkewMs: 0,
    });
    assert.deepEqual(privileges, { user: 'EXAMPLE\\ops', isRoot: true });
  });

  test('a host that reports no build number is refused', () => {
    fails(() => scan({ windows: { facts: {} } }), 'parse', /no build number/);
  });

  test('automatic services count, those that come and go do not', () => {
    const services = [
      { name: 'MSSQLSERVER', start: 'Auto', state: 'Running', exit: 0 },
      { name: 'W3SVC', start: 'Auto', state: 'Stopped', exit: 1067 },
      { name: 'Never', start: 'Auto', state: 'Stopped', exit: 1077 },
      { name: 'W32Time', start: 'Auto', state: 'Running', exit: 0, isTriggered: true },
      { name: 'CDPUserSvc_3a1f2', start: 'Auto', state: 'Running', exit: 0 },
      { name: 'sppsvc', start: 'Auto', state: 'Running', exit: 0 },
      { name: 'Manual', start: 'Manual', state: 'Running', exit: 0 },
    ];
    const { health } = scan({ windows: { services } });
    assert.deepEqual(health.activeServices, ['MSSQLSERVER']);
    assert.deepEqual(health.failedUnits, ['W3SVC']);
  });

  test('hard signs ask for a reboot, soft and ignored ones are only reported', () => {
    const soft = { code: 'file-renames', weight: 'soft', words: 'files wait to be renamed: 2' };
    const hard = { code: 'component-store', weight: 'hard', words: 'component based servicing waits for a restart' };
    const told = scan({ windows: { pendingReboot: [soft, hard] } }).reboot;
    assert.equal(told.needed, 'yes');
    assert.deepEqual(told.reasons, ['component based servicing waits for a restart (component-store)']);
    assert.equal(told.signs?.length, 2);
    const ignored = scan({ windows: { pendingReboot: [soft, { ...hard, isIgnored: true }] } }).reboot;
    assert.equal(ignored.needed, 'no');
    assert.equal(ignored.signs?.length, 2);
  });

  test('the agent asks for a reboot by itself, and once where a sign of it is there already', () => {
    const agent = { scan: { agent: { version: '1', rebootRequired: true } } };
    const told = scan(agent).reboot;
    assert.deepEqual([told.needed, told.reasons], ['yes', ['Windows Update requires a restart']]);
    const sign = { code: 'windows-update', weight: 'hard', words: 'Windows Update waits for a restart' };
    assert.deepEqual(scan({ ...agent, windows: { pendingReboot: [sign] } }).reboot.reasons, [
      'Windows Update waits for a restart (windows-update)',
    ]);
    const ignored = scan({ ...agent, windows: { pendingReboot: [{ ...sign, isIgnored: true }] } }).reboot;
    assert.equal(ignored.needed, 'no');
  });

  test('a script that could not work there is reported with its reason', () => {
    const problem = 'phase disk\nhresult 0x80070070\nmessage there is no room';
    fails(() => scan({ sections: { problem } }), 'disk', /^the host cannot be queried: there is no room$/);
    fails(
      () => scan({ windows: { account: { name: 'X\\bob', isAdmin: false } } }),
      'elevate',
      /^X\\bob has no administrator/,
    );
  });

  test('a problem that blocks is reported as one', () => {
    const problems = [{ code: 'service-disabled', isBlocking: true, words: 'the service wuauserv is disabled' }];
    assert.deepEqual(scan({ windows: { problems } }).problems, [
      { code: 'service-disabled', message: 'the service wuauserv is disabled', isBlocking: true },
    ]);
  });

  test('the inventory keeps policy, source and hardware', () => {
    const { inventory } = scan();
    assert.equal(inventory?.updatePolicy['WUServer'], 'http://wsus.example.test:8530');
    assert.equal(inventory?.updateSource, 'Windows Server Update Service');
    assert.equal(inventory?.memoryBytes, 8_589_934_592);
  });

  test('metadata is as old as the search, by the clock of the controller', () => {
    const { metadata } = scan({ sections: { clock: `${epochSec + 3600}\n1` } });
    assert.equal(metadata.fetchedMs, Date.parse('2026-09-10T10:00:00Z') - 3_600_000);
    assert.equal(metadata.isStale, false);
    assert.equal(scan({ scan: { fetched: '2026-09-08T10:00:00Z' } }).metadata.isStale, true);
  });
});
