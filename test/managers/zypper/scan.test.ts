import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Update } from '../../../src/domain/update.ts';
import type { PackageScan } from '../../../src/managers/contract/package-manager.ts';
import { zypper } from '../../../src/managers/zypper/zypper.ts';
import { aScan } from '../../domain/fixtures.ts';
import { captured } from './rig.ts';

const { facts, privileges } = aScan();

function fetchedSec(): number {
  const [line = ''] = (captured('everything').get('zypper-lists') ?? '').split('\n');
  return Number(line.split('\t')[1]);
}

/** A minute after the lists were fetched. */
const collectedMs = (fetchedSec() + 60) * 1000;

function scan(change: (sections: Map<string, string>) => void = () => {}, maxAgeMs = 3_600_000): PackageScan {
  const sections = captured('everything');
  change(sections);
  const own = { ...facts, uptimeSec: 30, clockSkewMs: 0 };
  return zypper.parseScan(sections, { collectedMs, maxAgeMs, facts: own, privileges });
}

function replaced(section: string, pattern: RegExp | string, by: string) {
  return (sections: Map<string, string>): void => {
    const before = sections.get(section) ?? '';
    const after = before.replace(pattern, by);
    assert.notEqual(after, before, 'the fixture has what is replaced');
    sections.set(section, after);
  };
}

function named({ updates }: PackageScan, name: string): Update {
  const found = updates.find((update) => update.name === name);
  assert.ok(found, name);
  return found;
}

describe('a scan with zypper', () => {
  test('reports an update with its patch, CVEs, severity, source, size and repository', () => {
    const { sizeBytes, ...beta } = named(scan(), 'beta');
    assert.ok((sizeBytes ?? 0) > 5_000);
    assert.deepEqual(beta, {
      manager: 'zypper',
      name: 'beta',
      arch: 'noarch',
      from: '2:1.0-1.el9',
      to: '2:1.1~rc1-1.el9',
      origins: ['updates'],
      class: 'security',
      isKernel: false,
      source: 'beta',
      sourceVersion: '1.1~rc1-1.el9',
      severity: 'important',
      vendorSeverity: 'important',
      advisories: [{ id: 'LABSA-2026:0003', kind: 'security', issuedMs: 1_790_933_400_000 }],
      cves: ['CVE-2026-10003'],
    });
  });

  test('reports patches that zypper puts off until it is updated itself', () => {
    const patches = captured('everything').get('zypper-patches') ?? '';
    assert.match(patches, /pkgmanager="true"[^]*<blocked-update-list>[^]*LABSA-2026:0001/);
    assert.equal(named(scan(), 'alpha').class, 'security');
  });

  test('names the version of the patch where a newer one hides it', () => {
    const { to, securityTo, class: kind, severity, cves, advisories } = named(scan(), 'alpha');
    assert.deepEqual([to, securityTo, kind, severity], ['1.2-1.el9', '1.1-1.el9', 'security', 'critical']);
    assert.deepEqual(cves, ['CVE-2026-10001', 'CVE-2026-10002']);
    assert.deepEqual(advisories?.map(({ id, kind }) => `${id} ${kind}`).toSorted(), [
      'LABBA-2026:0002 bugfix',
      'LABSA-2026:0001 security',
    ]);
  });

  test('knows a kernel that goes in beside the running one by its version, and that its patch asks for a reboot', () => {
    const kernel = named(scan(), 'kernel-core');
    assert.deepEqual(
      [kernel.slot, kernel.from, kernel.to, kernel.securityTo, kernel.isKernel, kernel.class],
      ['5.14.0-503.15.1.el9', '5.14.0-503.11.1.el9', '5.14.0-503.15.1.el9', '5.14.0-503.14.1.el9', true, 'security'],
    );
  });

  test('takes an update whose patch asks for a reboot for one that needs it, whatever its name', () => {
    const asking = scan(replaced('zypper-patches', /(name="LABSA-2026:0001"[^>]*restart=)"false"/, '$1"true"'));
    assert.deepEqual([named(asking, 'alpha').isKernel, named(scan(), 'alpha').isKernel], [true, false]);
  });

  test('updates a kernel in place where zypp.conf keeps none beside others', () => {
    const kernel = named(
      scan((sections) => sections.set('rpm-installonly', '')),
      'kernel-core',
    );
    assert.equal(kernel.slot, undefined);
  });

  test('applies what a patch says of one architecture to that alone', () => {
    const other = scan(replaced('zypper-fixed', /\talpha\t/g, '\talpha.x86_64\t'));
    assert.equal(named(other, 'alpha').class, 'other');
    const own = scan(replaced('zypper-fixed', /\talpha\t/g, '\talpha.noarch\t'));
    assert.equal(named(own, 'alpha').class, 'security');
  });

  test('names a patch of which it is not known what it is about, and knows no classes where that is all of them', () => {
    const missing = scan(replaced('zypper-fixed', /^LABSA-2026:0001\t.*\n/m, ''));
    assert.ok(missing.problems.some(({ message }) => message.includes('LABSA-2026:0001')));
    const none = scan((sections) => sections.set('zypper-fixed', ''));
    assert.deepEqual([none.securityKnown, named(none, 'alpha').class], [false, 'unknown']);
  });

  test('calls an update unknown, not harmless, where its repository publishes no patches', () => {
    const quiet = scan((sections) => {
      replaced('zypper-lists', /\tadvisories$/m, '\t')(sections);
      sections.set('zypper-patches', '');
      sections.set('zypper-fixed', '');
    });
    assert.equal(quiet.securityKnown, false);
    assert.equal(named(quiet, 'alpha').class, 'unknown');
    assert.deepEqual([scan().securityKnown, named(scan(), 'needsnew').class], [true, 'other']);
  });

  test('says why an update is kept back', () => {
    const result = scan();
    assert.deepEqual(named(result, 'held').heldBack, { kind: 'held' });
    assert.deepEqual(named(result, 'broken').heldBack, { kind: 'unknown' });
    assert.ok(result.problems.some(({ message }) => message.includes('nothing provides nowhere needed by broken-1.1')));
    const renamed = named(result, 'oldtool');
    assert.deepEqual(renamed.heldBack, { kind: 'needs-removal', packages: ['oldtool:noarch'] });
    assert.equal(renamed.title, 'replaced by newtool');
    for (const name of ['alpha', 'beta', 'gamma', 'needsnew', 'kernel-core', 'excluded']) {
      assert.equal(named(result, name).heldBack, undefined, name);
    }
  });

  test('holds back an update that replaces another installed package', () => {
    const row = 'obsoletes\tupdates\tgamma\tnoarch\t1.0^git1-1.el9\toldtool\tLT\t2\n';
    const replacing = scan((sections) =>
      sections.set('zypper-details', `${sections.get('zypper-details') ?? ''}${row}`),
    );
    assert.deepEqual(named(replacing, 'gamma').heldBack, { kind: 'needs-removal', packages: ['oldtool:noarch'] });
  });

  test('heeds no lists of a repository that is disabled', () => {
    const stale = scan(replaced('zypper-details', /^obsoletes\tupdates\t/m, 'obsoletes\tformer\t'));
    assert.ok(!stale.updates.some(({ name }) => name === 'oldtool'));
  });

  test('heeds the versions that a package obsoletes', () => {
    const renamedWith = (flag: string, limit: string): boolean =>
      scan(replaced('zypper-details', /oldtool\tLT\t2$/m, `oldtool\t${flag}\t${limit}`)).updates.some(
        ({ name }) => name === 'oldtool',
      );
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['LT', '1.0', false],
      ['LT', '1.0-2', true],
      ['LE', '1.0', true],
      ['EQ', '1.0', true],
      ['EQ', '1.1', false],
      ['GE', '1.0', true],
      ['GT', '1.0', false],
      ['GT', '0.9', true],
      ['', '', true],
    ];
    for (const [flag, limit, expected] of cases) assert.equal(renamedWith(flag, limit), expected, `${flag} ${limit}`);
  });

  test('hides a version that a lock keeps out, and offers the next', () => {
    const lock =
      '<?xml version="1.0"?>\n<stream>\n<locks size="1">\n<lock number="1">\n<matches size="1">\n<match kind="package" name="alpha" edition="1.2-1.el9" arch="noarch" installed="false" repo="updates"/>\n</matches>\n</lock>\n</locks>\n</stream>\n<!-- exit 0 -->\n';
    const result = scan((sections) => {
      sections.set('zypper-locks', lock);
      replaced('zypper-next', /(name="alpha" edition=)"1.2-1.el9"/, '$1"1.1-1.el9"')(sections);
    });
    assert.deepEqual([named(result, 'alpha').to, named(result, 'alpha').heldBack], ['1.1-1.el9', undefined]);
  });

  test('names the packages that the updates would bring in, where the account may try', () => {
    const added = scan().newPackages?.map(({ name, from, to }) => [name, from, to]);
    assert.deepEqual(added, [['newdep', null, '1.1-1.el9']]);
    assert.deepEqual(scan((sections) => sections.set('zypper-step', '')).newPackages, []);
  });

  test('asks for a reboot where zypper does', () => {
    assert.equal(scan().rebootReason, undefined);
    const asking = scan((sections) => sections.set('zypper-reboot', '/run/reboot-needed\n'));
    assert.match(asking.rebootReason ?? '', /zypper needs-rebooting/);
  });

  test('never takes an answer that zypper did not finish, or refused, for no updates', () => {
    const cut = (sections: Map<string, string>): void => {
      sections.set('zypper-next', (sections.get('zypper-next') ?? '').slice(0, 300));
    };
    assert.throws(() => scan(cut), { code: 'command', message: /its answer has no end/ });
    const locked =
      '<?xml version="1.0"?>\n<stream>\n<message type="error">System management is locked by the application with pid 12 (packagekitd).</message>\n</stream>\n<!-- exit 7 -->\n';
    assert.throws(() => scan((sections) => sections.set('zypper-next', locked)), {
      code: 'command',
      message: /locked by the application with pid 12 \(packagekitd\)/,
    });
    assert.throws(() => scan((sections) => sections.set('zypper-newer', '<!-- exit 127 -->\n')), { code: 'command' });
  });

  test('never reports a host without repositories, or with one that was never fetched, as up to date', () => {
    const none = scan((sections) => {
      const empty = "<?xml version='1.0'?>\n<stream>\n<repo-list>\n</repo-list>\n</stream>\n<!-- exit 6 -->\n";
      sections.set('zypper-repositories', empty);
      for (const name of ['zypper-newer', 'zypper-next', 'zypper-versions', 'zypper-details']) sections.set(name, '');
    });
    assert.deepEqual([none.updates, none.metadata?.isStale], [[], true]);
    assert.ok(
      none.problems.some(({ isIncomplete, message }) => isIncomplete && message.includes('no enabled repository')),
    );
    const unfetched = scan(replaced('zypper-lists', /^updates\t.*\n/m, ''));
    assert.equal(unfetched.metadata?.isStale, true);
    assert.ok(
      unfetched.problems.some(
        ({ isIncomplete, message }) => isIncomplete && message.startsWith('Lab updates: was never fetched'),
      ),
    );
  });

  test('leaves out a repository that is disabled', () => {
    const disabled = scan(replaced('zypper-repositories', /(alias="base".*?enabled=)"1"/, '$1"0"'));
    assert.deepEqual(
      disabled.metadata?.repositories.map(({ name }) => name),
      ['Lab updates'],
    );
  });

  test('reports a repository that fails since a refresh, until it was fetched again', () => {
    const failing = (since: number) =>
      scan((sections) => sections.set('rpm-refreshes', `updates\t${since}\tno answer from mirror\n`));
    const still = failing(fetchedSec() + 10);
    assert.equal(still.metadata?.refreshFailed?.message, 'no answer from mirror');
    assert.ok(still.problems.some(({ code, isIncomplete }) => code === 'refresh' && isIncomplete));
    assert.equal(failing(fetchedSec() - 10).metadata?.refreshFailed, undefined);
  });

  test('is as old as its oldest repository', () => {
    assert.deepEqual([scan().metadata?.isStale, scan(undefined, 1_000).metadata?.isStale], [false, true]);
  });

  test('installs nothing where transactional-update changes the system in a snapshot, and says so', () => {
    const { problems, updates } = scan((sections) => sections.set('rpm-image', 'transactional\n'));
    assert.deepEqual(
      problems.filter(({ isBlocking }) => isBlocking).map(({ code }) => code),
      ['image'],
    );
    assert.ok(problems.some(({ message }) => message.includes('transactional-update')));
    assert.ok(updates.length > 5);
  });
});
