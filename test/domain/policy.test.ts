import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Policy } from '../../src/domain/playbook.ts';
import { selectUpdates } from '../../src/domain/policy.ts';
import { packageManagerNamed } from '../../src/managers/registry.ts';
import type { Update } from '../../src/domain/update.ts';
import { aPackage, anUpdate, everything } from './fixtures.ts';

interface Case {
  readonly title: string;
  readonly update?: Partial<Update>;
  readonly policy?: Partial<Policy>;
  readonly held?: readonly string[];
  readonly patchHold?: readonly string[];
  /** Version that goes in and why; absent = nothing goes in. */
  readonly in?: readonly [to: string, reason: RegExp];
  readonly out?: RegExp;
}

const hidden = { class: 'security', to: '3.0', securityTo: '2.0' } as const;
const phased = { heldBack: { kind: 'phased', percent: 10 } } as const;

const cases: readonly Case[] = [
  { title: 'an empty include takes everything', in: ['1.1', /every update/] },
  {
    title: 'security only takes a security update',
    update: { class: 'security' },
    policy: { securityOnly: true },
    in: ['1.1', /^security$/],
  },
  { title: 'security only leaves an ordinary one out', policy: { securityOnly: true }, out: /not a security update/ },
  {
    title: 'security only leaves out what no source classifies as a security update, with that reason',
    update: { class: 'unknown' },
    policy: { securityOnly: true },
    out: /no security source on this host/,
  },
  { title: 'without classes an update of unknown class goes in', update: { class: 'unknown' }, in: ['1.1', /every/] },
  {
    title: 'security only takes the version behind a newer candidate and leaves the candidate out',
    update: hidden,
    policy: { securityOnly: true },
    in: ['2.0', /behind a newer candidate/],
    out: /only the security version is wanted; 2\.0 is installed instead/,
  },
  {
    title: 'a rule for security takes the version behind a newer candidate too',
    update: hidden,
    policy: { include: [{ class: 'security' }] },
    in: ['2.0', /behind a newer candidate/],
    out: /2\.0 is installed instead/,
  },
  { title: 'without classes the newer candidate goes in', update: hidden, in: ['3.0', /every update/] },
  {
    title: 'a phased candidate gives way to the security version behind it',
    update: { ...hidden, ...phased },
    in: ['2.0', /behind a newer candidate/],
    out: /phased 10 %; 2\.0 is installed instead/,
  },
  { title: 'a phased update waits', update: phased, out: /phased 10 %; the playbook does not include phased updates/ },
  {
    title: 'a phased update goes in when asked for',
    update: phased,
    policy: { includePhased: true },
    in: ['1.1', /every/],
  },
  { title: 'a hold of the host is respected', held: ['nginx'], out: /held on the host/ },
  { title: 'a hold of another package holds nothing', held: ['nginx-common'], in: ['1.1', /every update/] },
  {
    title: 'what the manager reports as held is held',
    update: { heldBack: { kind: 'held' } },
    out: /held on the host/,
  },
  { title: 'patch_hold names its glob', patchHold: ['apache*', 'ngi*'], out: /patch_hold \(ngi\*\)/ },
  {
    title: 'a hold wins over an include by name',
    patchHold: ['nginx'],
    policy: { include: [{ packages: ['nginx'] }] },
    out: /patch_hold/,
  },
  {
    title: 'exclude wins over include',
    policy: { include: [{ packages: ['*'] }], exclude: [{ packages: ['ng*'] }] },
    out: /excluded by the playbook \(packages ng\*\)/,
  },
  {
    title: 'exclude by class',
    policy: { exclude: [{ class: 'other' }] },
    out: /excluded by the playbook \(class other\)/,
  },
  {
    title: 'a rule needs class and package to match',
    policy: { include: [{ class: 'security', packages: ['nginx'] }] },
    out: /not included by the playbook \(wants class security, packages nginx\)/,
  },
  {
    title: 'a second rule may take what the first does not',
    policy: { include: [{ class: 'security' }, { class: 'any', packages: ['nginx'] }] },
    in: ['1.1', /included by the playbook \(class any, packages nginx\)/],
  },
  {
    title: 'a rule for security does not take an unknown class and gives the reason',
    update: { class: 'unknown' },
    policy: { include: [{ class: 'security' }] },
    out: /not included.*no security source/,
  },
  {
    title: 'an update that would remove another is refused',
    update: { heldBack: { kind: 'needs-removal', packages: ['exim4'] } },
    out: /would remove exim4; removals are refused/,
  },
  {
    title: 'new packages may come where the playbook allows them',
    update: { heldBack: { kind: 'needs-new', packages: ['libnew'] } },
    in: ['1.1', /every/],
  },
  {
    title: 'new packages may be refused',
    update: { heldBack: { kind: 'needs-new', packages: ['libnew'] } },
    policy: { newPackages: 'refuse' },
    out: /needs new packages \(libnew\)/,
  },
  { title: 'a pin of the host is respected', update: { heldBack: { kind: 'pinned' } }, out: /pinned/ },
  {
    title: 'a pin holds for the security version behind it too',
    update: { ...hidden, heldBack: { kind: 'pinned' } },
    policy: { securityOnly: true },
    out: /security version 2\.0: pinned/,
  },
  {
    title: 'what is kept back without a reason stays out',
    update: { heldBack: { kind: 'unknown' } },
    out: /which gives no reason/,
  },
];

describe('a policy', () => {
  for (const { title, update, policy, held = [], patchHold = [], ...expected } of cases) {
    test(title, () => {
      const scan = { updates: [anUpdate(update)], packages: held.map((name) => aPackage({ name, isHeld: true })) };
      const { wanted, leftOut } = selectUpdates(scan, { ...everything, ...policy }, patchHold);
      assert.equal(wanted.length, expected.in === undefined ? 0 : 1);
      if (expected.in !== undefined) {
        assert.equal(wanted[0]?.to, expected.in[0]);
        assert.match(wanted[0]?.reason ?? '', expected.in[1]);
      }
      assert.equal(leftOut.length, expected.out === undefined ? 0 : 1);
      if (expected.out !== undefined) assert.match(leftOut[0]?.reason ?? '', expected.out);
    });
  }

  test('loses no update: each is wanted or left out with a reason', () => {
    const updates = ['a', 'b', 'c', 'd'].map((name) => anUpdate({ name, class: name < 'c' ? 'security' : 'other' }));
    const { wanted, leftOut } = selectUpdates(
      { updates, packages: [aPackage({ name: 'a', isHeld: true })] },
      { ...everything, securityOnly: true },
      [],
    );
    assert.deepEqual(
      wanted.map((item) => item.name),
      ['b'],
    );
    assert.deepEqual(
      leftOut.map((item) => item.name),
      ['a', 'c', 'd'],
    );
    assert.ok(leftOut.every((item) => item.reason !== ''));
  });

  test('counts the candidate that hides a security version as a security update', () => {
    const { wanted } = selectUpdates({ updates: [anUpdate(hidden)], packages: [] }, everything, []);
    assert.equal(wanted[0]?.class, 'security');
  });
});

describe('names of a package manager that ignores their case', () => {
  const update = anUpdate({ name: 'KB5034441' });
  const select = (policy: Partial<Policy>, hold: readonly string[], isCaseIgnored: boolean): number =>
    selectUpdates({ updates: [update], packages: [] }, { ...everything, ...policy }, hold, { isCaseIgnored }).wanted
      .length;

  test('are excluded, included and held as they are meant, however they are written', () => {
    for (const name of ['kb5034441', 'KB5034441', 'kb50*', 'Kb5034[0-9]41']) {
      assert.equal(select({ exclude: [{ packages: [name] }] }, [], true), 0, `exclude ${name}`);
      assert.equal(select({}, [name], true), 0, `hold ${name}`);
      assert.equal(select({ include: [{ packages: [name] }] }, [], true), 1, `include ${name}`);
    }
  });

  test('are distinguished by it where the package manager does so', () => {
    assert.equal(select({ exclude: [{ packages: ['kb5034441'] }] }, [], false), 1);
    assert.equal(select({}, ['kb*'], false), 1);
    assert.equal(select({ include: [{ packages: ['kb*'] }] }, [], false), 0);
    assert.deepEqual(
      [packageManagerNamed('windows-update').isCaseIgnored, packageManagerNamed('apt').isCaseIgnored],
      [true, undefined],
    );
  });
});
