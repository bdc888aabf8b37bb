import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ScanMoment } from '../../../src/managers/contract/package-manager.ts';
import { snap } from '../../../src/managers/snap/snap.ts';
import { list, noStore, pending, pending232, pending277, sectionsOf, timesForever } from './captured.ts';
import type { Answers } from './captured.ts';

const momentOn = (osId: string) => ({ facts: { osId } }) as ScanMoment;
const scanOf = (answers?: Answers, osId = 'ubuntu') => snap.parseScan(sectionsOf(answers), momentOn(osId));

describe('a scan of snaps', () => {
  test('names each installed snap by its version and its revision', () => {
    const { packages } = scanOf();
    assert.deepEqual(
      packages.map(({ name, version }) => `${name} ${version}`),
      [
        'core22 20251105 (2163)',
        'firefox 145.0-2 (7298)',
        'hello_two 2.10 (42)',
        'lxd 5.21.4-9eb1368 (35819)',
        'own-tool 1 (x3)',
        'pc-kernel 6.8.0-87.88 (2774)',
        'snapd 2.72 (25577)',
      ],
    );
    assert.deepEqual(packages[1], {
      ...{ manager: 'snap', name: 'firefox', arch: '', version: '145.0-2 (7298)', state: 'installed' },
      ...{ source: 'firefox', sourceVersion: '145.0-2', unattended: 'changes' },
    });
  });

  test('marks what is broken and what is held', () => {
    const { packages } = scanOf();
    const broken = packages.filter((item) => item.state === 'broken');
    assert.deepEqual(
      broken.map(({ name, stateDetail }) => [name, stateDetail]),
      [['hello_two', 'broken']],
    );
    assert.deepEqual(
      packages.filter((item) => item.isHeld).map(({ name }) => name),
      ['lxd'],
    );
  });

  test('expects changes at any time but of snaps that snapd does not refresh by itself', () => {
    const still = (answers?: Answers) =>
      scanOf(answers).packages.flatMap(({ name, unattended }) => (unattended === undefined ? [name] : []));
    assert.deepEqual(still(), ['own-tool']);
    assert.equal(still({ times: timesForever }).length, 7, 'all refreshes are held');
    assert.deepEqual(still({ list: list.replace('mozilla**    -', 'mozilla**    disabled') }), ['firefox', 'own-tool']);
  });

  test('lists pending refreshes with origin, class and holds', () => {
    assert.deepEqual(
      scanOf().updates.map(({ name, from, to, origins, heldBack, isKernel }) => [
        `${name}: ${from} → ${to} from ${origins.join()}`,
        heldBack?.kind,
        isKernel,
      ]),
      [
        ['firefox: 145.0-2 (7298) → 146.0-1 (7355) from mozilla:latest/stable', 'excluded', false],
        ['lxd: 5.21.4-9eb1368 (35819) → 5.21.4-1a2b3c4 (36558) from canonical:5.21/stable/…', 'held', false],
        ['pc-kernel: 6.8.0-87.88 (2774) → 6.8.0-88.89 (2801) from canonical:24/stable', 'excluded', true],
        ['snapd: 2.72 (25577) → 2.73 (25935) from canonical:latest/stable', 'excluded', false],
      ],
    );
    assert.ok(scanOf().updates.every((update) => update.class === 'unknown'));
    assert.equal(scanOf().securityKnown, undefined);
    assert.equal(scanOf().metadata, undefined);
  });

  test('leaves out on Ubuntu Core what snapd would reboot for, unless it is named', () => {
    const excluded = scanOf({}, 'ubuntu-core').updates.flatMap(({ name, heldBack }) =>
      heldBack?.kind === 'excluded' ? [`${name} unless ${heldBack.unless}`] : [],
    );
    assert.deepEqual(excluded, ['firefox unless pattern', 'pc-kernel unless name', 'snapd unless name']);
  });

  test('counts no download too small, whatever way the client rounds', () => {
    const sizes = (text: string) => scanOf({ pending: text }).updates.map(({ sizeBytes }) => sizeBytes);
    assert.deepEqual(sizes(pending), [294_000_000, 900, 2_000_000_000, 51_000_000]);
    assert.deepEqual(sizes(pending277), [295_000_000, 900, 2_000_000_000, 50_500_000]);
    assert.deepEqual(sizes(pending232), [undefined]);
    assert.deepEqual(sizes(pending.replace('900B', '0B  '))[1], undefined);
  });

  test('reads the columns of old releases', () => {
    const [update] = scanOf({ pending: pending232 }).updates;
    assert.deepEqual([update?.to, update?.origins], ['146.0-1 (7355)', ['mozilla:latest/stable']]);
  });

  test('is complete where the client reports that nothing is pending', () => {
    const { updates, problems } = scanOf({ pending: '', pendingStatus: '0\nAll snaps up to date.\n' });
    assert.deepEqual([updates, problems], [[], []]);
  });

  const blind: readonly [title: string, answers: Answers, message: RegExp][] = [
    [
      'the store does not answer',
      { pending: '', pendingStatus: `1\n${noStore}\n` },
      /^snapd cannot query its store: cannot list updates: persistent network error: Post "https:\S+ dial tcp: lookup api\.snapcraft\.io: no such host$/,
    ],
    [
      'the store takes too long',
      { pending: '', pendingStatus: '124\n\n' },
      /^snapd cannot query its store: its client ended with status 124$/,
    ],
    [
      'the list is empty without a word',
      { pending: '', pendingStatus: '0\n\n' },
      /^snapd lists no updates and does not report that there are none:/,
    ],
    [
      'snapd does not answer',
      { list: '', listStatus: '1\nerror: cannot list snaps: cannot communicate with server\n' },
      /^snapd does not answer: cannot list snaps: cannot communicate with server$/,
    ],
  ];
  for (const [title, answers, message] of blind) {
    test(`may lack updates where ${title}`, () => {
      const { updates, problems } = scanOf(answers);
      assert.deepEqual(updates, []);
      assert.equal(problems.length, 1);
      assert.equal(problems[0]?.isIncomplete, true);
      assert.match(problems[0]?.message ?? '', message);
    });
  }

  test('has no snaps where none is installed yet', () => {
    const words = "No snaps are installed yet. Try 'snap install hello-world'.";
    const nothing = { list: '', listStatus: `0\n${words}\n`, pending: '', pendingStatus: '0\nAll snaps up to date.\n' };
    const { packages, problems } = scanOf(nothing);
    assert.deepEqual([packages, problems], [[], []]);
  });

  test('leaves out what was removed or refreshed between the two lists', () => {
    const without = list.replace(/^firefox.*\n/m, '').replace('35819', '36558');
    const names = scanOf({ list: without }).updates.map(({ name }) => name);
    assert.deepEqual(names, ['pc-kernel', 'snapd']);
  });

  test('needs no query of the store for what is installed', () => {
    const sections = sectionsOf();
    for (const name of ['snap-pending', 'snap-pending-status', 'snap-times']) sections.delete(name);
    assert.equal(snap.parseState(sections).packages.length, 7);
    assert.deepEqual(snap.parseState(sectionsOf({ list: '', listStatus: '1\nerror: gone\n' })).packages, []);
  });

  const hostile: readonly [title: string, answers: Answers][] = [
    ['a name that is none', { list: list.replace('firefox ', 'Fire;fox') }],
    ['a revision that is none', { list: list.replace('7298', '72.8') }],
    ['a line that ends early', { pending: `${pending}vault\n` }],
    ['a name without end', { list: `${list}${'a'.repeat(300)}  1  2  x  y  -\n` }],
    ['a line without end', { list: `${list}${'a '.repeat(40_000)}\n` }],
    ['no status', { listStatus: '' }],
    ['a status that is none', { pendingStatus: 'all good\n' }],
    ['too many snaps', { list: list + 'a  1  2  x  y  -\n'.repeat(50_001) }],
  ];
  for (const [title, answers] of hostile) {
    test(`is refused with ${title}`, () => {
      assert.throws(() => scanOf(answers), { code: 'parse' });
    });
  }

  test('is refused without its sections', () => {
    const sections = sectionsOf();
    sections.delete('snap-pending-status');
    assert.throws(() => snap.parseScan(sections, momentOn('ubuntu')), { code: 'parse' });
  });
});
