import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JobResult } from '../../../src/domain/job.ts';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import type { InstallSettings } from '../../../src/domain/playbook.ts';
import { snap } from '../../../src/managers/snap/snap.ts';
import { list, noStore, sectionsOf } from './captured.ts';

function update(name: string, from: string, to: string): PlannedUpdate {
  return {
    ...{ manager: 'snap', name, arch: '', from, to, class: 'unknown', origins: [], isKernel: false },
    ...{ reason: 'included', untried: false },
  };
}

const firefox = update('firefox', '145.0-2 (7298)', '146.0-1 (7355)');
const lxd = update('lxd', '5.21.4-9eb1368 (35819)', '5.21.4-1a2b3c4 (36558)');
const core = update('core22', '20251001 (2150)', '20251105 (2163)');
const settings = { lockWaitMs: 90_500, conffile: 'keep-old' } as InstallSettings;

describe('a request about snaps', () => {
  test('names each snap and its revision, and nothing that people call it', () => {
    const rows = [
      ['firefox', '7355'],
      ['lxd', '36558'],
    ];
    assert.deepEqual(snap.simulateRequest([firefox, lxd]), { rows });
    assert.deepEqual(snap.installRequest([firefox, lxd], settings), { fields: { lock_wait: 91 }, rows });
    assert.deepEqual(snap.repairRequest?.([firefox, lxd], settings), { fields: { lock_wait: 91 }, rows });
    assert.equal('refreshRequest' in snap, false);
  });

  for (const to of ['146.0-1', '146.0-1 (x3)', '146.0-1 (07)', '(7355)', '146.0-1 (7355) ', '146.0-1 (73 55)']) {
    test(`is refused for the version ${JSON.stringify(to)}`, () => {
      assert.throws(() => snap.simulateRequest([{ ...firefox, to }]), { code: 'config', message: /Snap Store/ });
    });
  }
});

describe('a simulation of snaps', () => {
  const asked = 'firefox 7355\nlxd 36000\ncore22 2163\ngone 7\n';

  test('installs what snapd would refresh to by itself, and nothing else', () => {
    const simulation = snap.parseSimulation(sectionsOf({ asked }));
    assert.deepEqual(simulation.installs, [
      {
        ...{ manager: 'snap', name: 'firefox', arch: '', from: '145.0-2 (7298)', to: '146.0-1 (7355)' },
        origins: ['mozilla:latest/stable'],
      },
    ]);
    assert.deepEqual([simulation.removes, simulation.errors], [[], []]);
    assert.equal(simulation.downloadBytes, 294_000_000);
  });

  test('reports where each asked snap stands and what its channel has', () => {
    const { installed, available } = snap.parseSimulation(sectionsOf({ asked: `${asked}hello_two 50\n` }));
    assert.deepEqual(
      { ...installed },
      {
        'snap/firefox:': { version: '145.0-2 (7298)', state: 'installed' },
        'snap/lxd:': { version: '5.21.4-9eb1368 (35819)', state: 'installed' },
        'snap/core22:': { version: '20251105 (2163)', state: 'installed' },
        'snap/gone:': null,
        'snap/hello_two:': { version: '2.10 (42)', state: 'broken', stateDetail: 'broken' },
      },
    );
    assert.deepEqual(available['lxd'], [{ version: '5.21.4-1a2b3c4 (36558)', origins: ['canonical:5.21/stable/…'] }]);
    assert.deepEqual(available['core22'], [{ version: '20251105 (2163)', origins: ['canonical:latest/stable'] }]);
    assert.deepEqual(available['gone'], []);
  });

  test('is an error where the store does not answer, and never a drift', () => {
    const sections = sectionsOf({ asked, pending: '', pendingStatus: `1\n${noStore}\n` });
    assert.throws(() => snap.parseSimulation(sections), { code: 'command', message: /cannot query its store/ });
  });
});

describe('the read-back of a job', () => {
  const results = (sections: Readonly<Record<string, string>>): JobResult => ({ exitCode: 0, verdict: 'ok', sections });
  const read = (text: string, notes = '', attempted: readonly PlannedUpdate[] = [firefox, lxd, core]) =>
    snap
      .readInstall(
        results({ 'snap-installed': text, 'snap-installed-status': '0\n\n', 'snap-results': notes }),
        [firefox, lxd, core],
        attempted,
      )
      .map(({ name, now, state, message }) => [name, now, state, message]);
  const after = list.replace('145.0-2         7298 ', '146.0-1         7355 ');

  test('goes by what is installed, not by how the change ended', () => {
    const notes = 'firefox\t7355\tunknown\tsnapd does not answer any more\nlxd\t36558\tDone\t\n';
    assert.deepEqual(read(after, notes, [firefox, lxd]), [
      ['firefox', '146.0-1 (7355)', 'installed', undefined],
      ['lxd', '5.21.4-9eb1368 (35819)', 'failed', undefined],
      ['core22', '20251105 (2163)', 'already', undefined],
    ]);
  });

  test('gives the words of snapd for what failed', () => {
    const words = 'cannot refresh "lxd": snap "lxd" has running apps (lxc), pids: 4711';
    const [, failed] = read(after, `lxd\t36558\trefused\t${words}\n`);
    assert.deepEqual(failed, ['lxd', '5.21.4-9eb1368 (35819)', 'failed', words]);
  });

  test('compares revisions, whatever the publisher calls them', () => {
    const renamed = after.replace('146.0-1 ', '146.0~b1');
    assert.deepEqual(read(renamed)[0], ['firefox', '146.0~b1 (7355)', 'installed', undefined]);
  });

  test('distinguishes what was not attempted, superseded, broken or removed from what failed', () => {
    const newer = update('lxd', lxd.from ?? '', '5.21.4-9eb1368 (35819)');
    const text = after.replace(/^core22.*\n/m, '').replace('mozilla**    -', 'mozilla**    broken');
    assert.deepEqual(read(text, '', [newer]), [
      ['firefox', '146.0-1 (7355)', 'broken', undefined],
      ['lxd', '5.21.4-9eb1368 (35819)', 'superseded', undefined],
      ['core22', null, 'removed', undefined],
    ]);
    assert.deepEqual(read(list, '', [])[0]?.slice(2), ['not-installed', undefined]);
  });

  test('is an error without a list of what is installed', () => {
    const gone = { 'snap-installed': '', 'snap-installed-status': '1\nerror: gone\n' };
    assert.throws(() => snap.readInstall(results(gone), [firefox], [firefox]), { code: 'command', message: /gone/ });
    assert.throws(() => snap.readInstall(results({}), [firefox], [firefox]), { code: 'parse' });
  });
});
