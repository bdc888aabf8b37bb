import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { dnf5 } from '../../../src/managers/dnf5/dnf5.ts';
import { readTable } from '../../../src/managers/dnf5/table.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { aScan } from '../../domain/fixtures.ts';
import { captured } from './rig.ts';

const moment = { ...aScan(), collectedMs: Date.parse('2026-11-30T21:30:00Z'), maxAgeMs: Infinity };
const scanOf = (sections: Sections) => dnf5.parseScan(sections, moment);
const changed = (name: string, text: string): Sections => new Map([...captured('everything'), [name, text]]);

describe('a scan with dnf 5', () => {
  const { updates, newPackages, problems, metadata, securityKnown } = scanOf(captured('everything'));
  const byName = new Map(updates.map((update) => [update.name, update]));

  test('has the newest version of each package that can go in, and the one that its advisory names', () => {
    const alpha = byName.get('alpha');
    assert.deepEqual([alpha?.from, alpha?.to, alpha?.securityTo], ['1.0-1.el9', '1.2-1.el9', '1.1-1.el9']);
    assert.deepEqual([byName.get('beta')?.to, byName.get('gamma')?.to], ['2:1.1~rc1-1.el9', '1.0^git1-1.el9']);
    assert.equal(alpha?.sizeBytes, 6086);
  });

  test('takes severities from the list that has them, and CVEs from the other', () => {
    const alpha = byName.get('alpha');
    assert.deepEqual([alpha?.class, alpha?.severity, alpha?.vendorSeverity], ['security', 'critical', 'Critical']);
    assert.deepEqual(alpha?.cves, ['CVE-2026-10001', 'CVE-2026-10002']);
    assert.deepEqual(
      alpha?.advisories?.map(({ id, kind }) => [id, kind]),
      [
        ['LABSA-2026:0001', 'security'],
        ['LABBA-2026:0002', 'bugfix'],
      ],
    );
    assert.equal(byName.get('beta')?.severity, 'important');
    assert.equal(securityKnown, true);
  });

  test('puts a kernel beside the others, and names new packages', () => {
    const kernel = byName.get('kernel-core');
    assert.equal(kernel?.slot, '5.14.0-503.15.1.el9');
    assert.equal(kernel.isKernel, true);
    assert.deepEqual(
      newPackages?.map(({ name }) => name),
      ['newdep'],
    );
  });

  test('says why the rest is kept back', () => {
    assert.deepEqual(byName.get('held')?.heldBack, { kind: 'held' });
    assert.deepEqual(byName.get('excluded')?.heldBack, { kind: 'pinned' });
    assert.deepEqual(byName.get('broken')?.heldBack, { kind: 'unknown' });
    assert.deepEqual(byName.get('oldtool')?.heldBack, { kind: 'needs-removal', packages: ['oldtool:noarch'] });
    assert.match(problems.map(({ message }) => message).join(), /nothing provides nowhere/);
  });

  test('has the time at which each repository was fetched', () => {
    assert.deepEqual(metadata?.repositories.map(({ name }) => name).toSorted(), ['base', 'updates']);
    assert.equal(metadata?.isStale, false);
    const never = scanOf(changed('dnf5-repositories', 'base\t1796073589\t\nupdates\t\t\n'));
    assert.match(never.problems.map(({ message }) => message).join(), /updates: was never fetched/);
  });

  test('is an error where dnf had no answer, and never means that nothing is pending', () => {
    const isCommand = (error: unknown): boolean => error instanceof FettleError && error.code === 'command';
    assert.throws(() => scanOf(changed('dnf5-error', 'dnf5 ended with status 139\n')), isCommand);
    assert.throws(() => scanOf(changed('dnf5-transaction', 'Unknown argument "--x"\n')), isCommand);
    assert.throws(() => scanOf(changed('dnf5-transaction', '')), isCommand);
  });
});

describe('the table of a transaction of dnf 5', () => {
  test('separates what goes in from what is removed and what is skipped', () => {
    const { installs, removes, troubles } = readTable([
      'Package  Arch   Version Repository Size',
      'Upgrading:',
      ' alpha   noarch 0:1.1-1 updates 4.0   B',
      '   replacing alpha noarch 0:1.0-1 base 4.0   B',
      'Installing dependencies:',
      ' newtool noarch 2:2-1 updates 4.0   B',
      '   replacing oldtool noarch 0:1.0-1 base 4.0   B',
      'Removing:',
      ' gone noarch 0:1-1 base 4.0   B',
      'Skipping packages with broken dependencies:',
      ' broken noarch 0:1.1-1 updates 4.0   B',
      'Problem: cannot install the best update candidate for package broken-1.0-1.noarch',
      '  - nothing provides nowhere',
      'Transaction Summary:',
      ' Upgrading:          1 package',
    ]);
    assert.deepEqual(
      installs.map(({ name, evr, replaces }) => [name, evr, replaces.map((old) => old.name)]),
      [
        ['alpha', '1.1-1', ['alpha']],
        ['newtool', '2:2-1', ['oldtool']],
      ],
    );
    assert.deepEqual(
      removes.map(({ name, evr }) => [name, evr]),
      [['gone', '1-1']],
    );
    assert.deepEqual(troubles, [
      'Problem: cannot install the best update candidate for package broken-1.0-1.noarch nothing provides nowhere',
    ]);
  });
});

describe('a simulation with dnf 5', () => {
  test('has exactly what the rows would do', () => {
    const { installs, removes, errors } = dnf5.parseSimulation(captured('simulate'));
    assert.deepEqual(installs.map(({ name, to }) => `${name} ${to}`).toSorted(), [
      ...['alpha 1.1-1.el9', 'beta 2:1.1~rc1-1.el9', 'gamma 1.0^git1-1.el9', 'kernel-core 5.14.0-503.14.1.el9'],
      ...['needsnew 1.1-1.el9', 'newdep 1.1-1.el9'],
    ]);
    assert.deepEqual([removes, errors], [[], []]);
  });
});
