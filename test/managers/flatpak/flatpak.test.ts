import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import type { InstallSettings } from '../../../src/domain/playbook.ts';
import type { PackageScan } from '../../../src/managers/contract/package-manager.ts';
import { flatpak } from '../../../src/managers/flatpak/flatpak.ts';
import { aScan } from '../../domain/fixtures.ts';
import { asked, captured } from './rig.ts';

function scan(changes: Readonly<Record<string, string>> = {}): PackageScan {
  const { facts, privileges } = aScan();
  return flatpak.parseScan(captured(changes), { collectedMs: 0, maxAgeMs: Infinity, facts, privileges });
}

const pending = captured().get('flatpak-pending') ?? '';

function update(name: string, arch: string, from: string, to: string): PlannedUpdate {
  return {
    ...{ manager: 'flatpak', name, arch, from, to, class: 'unknown', origins: [], isKernel: false },
    ...{ reason: 'included', untried: false },
  };
}

const editor = update('org.lab.Editor', 'x86_64/stable', 'dad2b34aa6f6', 'c0424d28ef7f');
const runtime = update('org.lab.Platform', 'x86_64/1', '74d282cee84e', 'ebacae60dc26');
const settings = { lockWaitMs: 1_000, conffile: 'keep-old' } as InstallSettings;

describe('a scan of flatpak', () => {
  test('lists apps and runtimes, and leaves out what would not be this update alone', () => {
    assert.deepEqual(
      scan().updates.map(({ name, arch, to, heldBack }) => [name, arch, to, heldBack?.kind]),
      [
        ['org.lab.Editor', 'x86_64/stable', 'c0424d28ef7f', 'excluded'],
        ['org.lab.Modern', 'x86_64/stable', 'c8b58970f9ef', 'excluded'],
        ['org.lab.Platform', 'x86_64/1', 'ebacae60dc26', 'excluded'],
        ['org.lab.Retired', 'x86_64/stable', '5a8f4365e843', 'needs-removal'],
        ['org.lab.Viewer', 'x86_64/stable', '0431bc1c690a', 'held'],
      ],
    );
  });

  test('says which runtime an app waits for', () => {
    const modern = scan().updates.find(({ name }) => name === 'org.lab.Modern');
    assert.deepEqual(modern?.heldBack, {
      kind: 'excluded',
      reason: 'needs the runtime org.lab.Platform/x86_64/2, which is not installed',
      unless: 'id',
    });
  });

  test('names the version of the publisher before the commit, and has the size at most', () => {
    const row =
      'app/org.lab.Editor/x86_64/stable\t47.1 beta\tc0424d28ef7f\tlab\t1.5\u00a0MB\torg.lab.Platform/x86_64/1\n';
    const [found] = scan({ 'flatpak-pending': row }).updates;
    assert.deepEqual([found?.to, found?.sizeBytes, found?.origins], ['47.1-beta (c0424d28ef7f)', 1_600_000, ['lab']]);
  });

  test('holds what a mask is of, in every spelling of flatpak-mask(1)', () => {
    const held = (masks: string): readonly string[] =>
      scan({ 'flatpak-masks': masks })
        .updates.filter(({ heldBack }) => heldBack?.kind === 'held')
        .map(({ name }) => name);
    assert.deepEqual(held(''), []);
    assert.deepEqual(held('  org.lab.Editor\n'), ['org.lab.Editor']);
    assert.deepEqual(held('  app/org.lab.Editor/x86_64/stable\n'), ['org.lab.Editor']);
    assert.deepEqual(held('  runtime/org.lab.*\n'), ['org.lab.Platform']);
    assert.deepEqual(held('  org.lab.*//1\n'), ['org.lab.Platform']);
    assert.deepEqual(held('  org.lab.Edit\n  org.lab.Editor/aarch64\n'), []);
  });

  test('has a gap where a remote does not answer, and keeps what the others answered', () => {
    const words = "While fetching http://127.0.0.1:9/x/summary.idx: [7] Couldn't connect to server";
    const { updates, problems } = scan({ 'flatpak-remotes': `dead\t1\t${words}\nlab\t0\t\n` });
    assert.equal(updates.length, 5);
    assert.deepEqual(problems, [
      { code: 'flatpak', message: `the remote dead of flatpak does not answer: ${words}`, isIncomplete: true },
    ]);
  });

  test('has a gap where flatpak does not list what is installed', () => {
    const { updates, packages, problems } = scan({ 'flatpak-installed-status': '124\n\n' });
    assert.deepEqual([updates, packages], [[], []]);
    assert.match(problems[0]?.message ?? '', /^flatpak does not list what is installed: it ended with status 124$/);
  });
});

describe('a simulation of flatpak', () => {
  test('installs what is on offer and changes nothing else', () => {
    const { updates } = scan();
    const simulation = flatpak.parseSimulation(captured({ 'flatpak-asked': asked(updates) }));
    assert.deepEqual(
      simulation.installs.map(({ name }) => name),
      ['org.lab.Editor', 'org.lab.Platform'],
    );
    assert.equal(simulation.downloadBytes, 149 + 126);
  });

  test('installs nothing at a commit that is no longer on offer, and names the one that is', () => {
    const { installs, available } = flatpak.parseSimulation(
      captured({
        'flatpak-asked': asked([editor]),
        'flatpak-pending': pending.replace('c0424d28ef7f', '111111111111'),
      }),
    );
    assert.deepEqual(installs, []);
    assert.equal(available['org.lab.Editor:x86_64/stable']?.[0]?.version, '111111111111');
  });

  test('fails where a remote does not answer', () => {
    const sections = captured({ 'flatpak-asked': asked([editor]), 'flatpak-remotes': 'lab\t1\tcannot connect\n' });
    assert.throws(() => flatpak.parseSimulation(sections), { code: 'command', message: /remote lab .*cannot connect/ });
  });
});

describe('a request about flatpaks', () => {
  test('names each ref and its commit', () => {
    const rows = [['org.lab.Editor', 'x86_64/stable', 'c0424d28ef7f']];
    assert.deepEqual(flatpak.installRequest([{ ...editor, to: '2.0 (c0424d28ef7f)' }], settings), { rows });
  });

  for (const to of ['2.0', '2.0 (c0424d28ef7)', 'C0424D28EF7F', '2.0 (c0424d28ef7f) ', '2 0 (c0424d28ef7f)']) {
    test(`is refused for the version ${JSON.stringify(to)}`, () => {
      assert.throws(() => flatpak.simulateRequest([{ ...editor, to }]), { code: 'config', message: /no commit/ });
    });
  }
});

describe('the read-back of flatpaks', () => {
  test('goes by the commit that is installed, and gives the words about what did not go in', () => {
    const list = captured().get('flatpak-installed')?.replace('74d282cee84e', 'ebacae60dc26') ?? '';
    const sections = {
      'flatpak-installed': list,
      'flatpak-installed-status': '0\n\n',
      'flatpak-results': 'org.lab.Editor/x86_64/stable\tthe remote has moved on\n',
    };
    const results = flatpak.readInstall(
      { exitCode: 1, verdict: 'failed', sections },
      [editor, runtime],
      [editor, runtime],
    );
    assert.deepEqual(
      results.map(({ name, state, message }) => [name, state, message]),
      [
        ['org.lab.Editor', 'failed', 'the remote has moved on'],
        ['org.lab.Platform', 'installed', undefined],
      ],
    );
  });
});
