import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Update } from '../../../src/domain/update.ts';
import type { PackageScan } from '../../../src/managers/contract/package-manager.ts';
import { dnf } from '../../../src/managers/dnf/dnf.ts';
import { aScan } from '../../domain/fixtures.ts';
import { captured } from './rig.ts';

const { facts, privileges } = aScan();
/** When the answer was captured. */
const collectedMs = 1_796_060_300_000;

function scan(change: (sections: Map<string, string>) => void = () => {}, maxAgeMs = 3_600_000): PackageScan {
  const sections = captured('everything');
  change(sections);
  const own = { ...facts, uptimeSec: 30, clockSkewMs: 0 };
  return dnf.parseScan(sections, { collectedMs, maxAgeMs, facts: own, privileges });
}

function withLines(...lines: readonly string[]) {
  return (sections: Map<string, string>): void => {
    const text = sections.get('dnf-answer') ?? '';
    sections.set('dnf-answer', text.replace(/^end$/m, [...lines, 'end'].join('\n')));
  };
}

function without(pattern: RegExp) {
  return (sections: Map<string, string>): void => {
    const lines = (sections.get('dnf-answer') ?? '').split('\n');
    sections.set('dnf-answer', lines.filter((line) => !pattern.test(line)).join('\n'));
  };
}

function named({ updates }: PackageScan, name: string): Update {
  const found = updates.find((update) => update.name === name);
  assert.ok(found, name);
  return found;
}

describe('a scan with dnf', () => {
  test('reports an update with its advisories, CVEs, severity, source, size and repository', () => {
    assert.deepEqual(named(scan(), 'beta'), {
      manager: 'dnf',
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
      advisories: [{ id: 'LABSA-2026:0003', kind: 'security', issuedMs: 1_791_019_800_000 }],
      cves: ['CVE-2026-10003'],
      sizeBytes: 6146,
    });
  });

  test('names the version of the advisory where a newer one hides it, which dnf --security would install', () => {
    const { to, securityTo, class: kind, severity, cves, advisories } = named(scan(), 'alpha');
    assert.deepEqual([to, securityTo, kind, severity], ['1.2-1.el9', '1.1-1.el9', 'security', 'critical']);
    assert.deepEqual(cves, ['CVE-2026-10001', 'CVE-2026-10002']);
    assert.deepEqual(
      advisories?.map(({ id, kind }) => `${id} ${kind}`),
      ['LABSA-2026:0001 security', 'LABBA-2026:0002 bugfix'],
    );
  });

  test('takes the next version on offer where the one of the advisory has left', () => {
    const update = named(scan(without(/^version\talpha\tnoarch\t1\.1-1\.el9\t/)), 'alpha');
    assert.deepEqual([update.to, update.securityTo, update.class], ['1.2-1.el9', undefined, 'security']);
  });

  test('knows a kernel that goes in beside the running one by its version', () => {
    const kernel = named(scan(), 'kernel-core');
    assert.deepEqual(
      [kernel.slot, kernel.from, kernel.to, kernel.securityTo, kernel.isKernel],
      ['5.14.0-503.15.1.el9', '5.14.0-503.11.1.el9', '5.14.0-503.15.1.el9', '5.14.0-503.14.1.el9', true],
    );
    const installed = scan().packages.filter(({ name }) => name === 'kernel-core');
    assert.deepEqual(
      installed.map(({ slot }) => slot),
      ['5.14.0-503.11.1.el9'],
    );
  });

  test('calls an update unknown, not harmless, where its repository publishes no advisories', () => {
    const quiet = scan((sections) => {
      const text = sections.get('dnf-answer') ?? '';
      sections.set('dnf-answer', text.replace(/\tadvisories$/m, '\t').replace(/^advisory\t.*$/gm, ''));
    });
    assert.equal(quiet.securityKnown, false);
    assert.equal(named(quiet, 'alpha').class, 'unknown');
    assert.equal(scan().securityKnown, true);
    assert.equal(named(scan(), 'badpost').class, 'other');
  });

  test('says why dnf keeps an update back', () => {
    const result = scan();
    assert.deepEqual(named(result, 'held').heldBack, { kind: 'held' });
    assert.deepEqual(named(result, 'excluded').heldBack, { kind: 'pinned' });
    assert.deepEqual(named(result, 'broken').heldBack, { kind: 'unknown' });
    assert.ok(result.problems.some(({ message }) => message.includes('nothing provides nowhere needed by broken-1.1')));
    const renamed = named(result, 'oldtool');
    assert.deepEqual(renamed.heldBack, { kind: 'needs-removal', packages: ['oldtool:noarch'] });
    assert.equal(renamed.title, 'replaced by newtool');
    for (const name of ['alpha', 'beta', 'gamma', 'needsnew', 'kernel-core']) {
      assert.equal(named(result, name).heldBack, undefined, name);
    }
  });

  test('holds back an update that replaces another installed package', () => {
    const replacing = scan((sections) => {
      without(/^in\tgamma\t/)(sections);
      withLines('rename\toldtool\tnoarch\t1.0-1.el9\tgamma\tnoarch\t1.0^git1-1.el9\tupdates')(sections);
    });
    assert.deepEqual(named(replacing, 'gamma').heldBack, { kind: 'needs-removal', packages: ['oldtool:noarch'] });
  });

  test('names the packages that the updates would bring in', () => {
    const added = scan().newPackages?.map(({ name, from, to }) => [name, from, to]);
    assert.deepEqual(added, [['newdep', null, '1.2-1.el9']]);
  });

  test('takes two versions of what cannot be there twice for the end of an update that was cut off', () => {
    const { packages } = scan((sections) => {
      sections.set(
        'rpm-installed',
        `${sections.get('rpm-installed') ?? ''}slow\tnoarch\t1.1-1.el9\tslow-1.1-1.el9.src.rpm\t1\n`,
      );
    });
    const slow = packages.filter(({ name }) => name === 'slow');
    assert.deepEqual(
      slow.map(({ version, state, stateDetail }) => [version, state, stateDetail]),
      [['1.1-1.el9', 'broken', 'installed twice: 1.1-1.el9, 1.0-1.el9']],
    );
  });

  test('asks for a reboot where the C library was replaced since the start, not where it was before', () => {
    assert.equal(scan().rebootReason, undefined);
    const since = scan((sections) => {
      const text = sections.get('rpm-installed') ?? '';
      sections.set('rpm-installed', text.replace(/^(glibc\t.*\t)\d+$/m, '$11796060299'));
    });
    assert.equal(since.rebootReason, 'installed since the host was started: glibc');
  });

  test('takes its own list of what asks for a reboot from the host, where needs-restarting is installed', () => {
    const line = 'alpha\tnoarch\t1.0-1.el9\talpha-1.0-1.el9.src.rpm\t1796060290';
    const justInstalled = (sections: Map<string, string>): void => {
      const text = sections.get('rpm-installed') ?? '';
      sections.set('rpm-installed', text.replace(/^alpha\t.*$/m, line));
    };
    assert.equal(scan(justInstalled).rebootReason, undefined);
    const own = scan((sections) => {
      justInstalled(sections);
      withLines('reboots\talpha')(sections);
    });
    assert.match(own.rebootReason ?? '', /alpha/);
    assert.equal(named(own, 'alpha').isKernel, true);
  });

  test('reports what a module hides with its stream', () => {
    const cells = ['modular', 'gamma', 'noarch', '3.0-1.el9', 'updates', '7', 'gamma-3.0-1.el9.src.rpm', '', 'lab:1'];
    const hidden = scan((sections) => {
      without(/^(version|in)\tgamma\t/)(sections);
      withLines(cells.join('\t'))(sections);
    });
    assert.deepEqual(named(hidden, 'gamma').heldBack, { kind: 'module', module: 'lab:1' });
    assert.equal(named(hidden, 'gamma').to, '3.0-1.el9');
  });

  test('says that a Red Hat host is not registered, which alone is no gap', () => {
    const found = scan(withLines('unregistered')).problems.find(({ code }) => code === 'subscription');
    assert.match(found?.message ?? '', /not registered/);
    assert.equal(found?.isIncomplete, undefined);
  });

  test('never takes an answer that dnf did not finish for no updates', () => {
    assert.throws(() => scan(without(/^end$/)), { code: 'command', message: /ended without an answer/ });
    assert.throws(() => scan((sections) => sections.set('dnf-answer', 'error\tRepoError\tno such file\n')), {
      code: 'command',
      message: 'dnf cannot report what is pending: RepoError: no such file',
    });
  });

  test('never reports a host without repositories, or with one that was never fetched, as up to date', () => {
    const none = scan(without(/^(repository|version|hidden|in|advisory|rename|trouble)\t/));
    assert.deepEqual([none.updates, none.metadata?.isStale], [[], true]);
    assert.ok(
      none.problems.some(({ isIncomplete, message }) => isIncomplete && message.includes('no enabled repository')),
    );
    const unfetched = scan(withLines('repository\tepel\tExtra Packages\t\t\t'));
    assert.equal(unfetched.metadata?.isStale, true);
    assert.equal(unfetched.metadata.fetchedMs, undefined);
    assert.ok(
      unfetched.problems.some(
        ({ isIncomplete, message }) => isIncomplete && message.startsWith('Extra Packages: was never fetched'),
      ),
    );
  });

  test('reports a repository that fails since a refresh, until it was fetched again', () => {
    const failing = (since: number) =>
      scan((sections) => sections.set('rpm-refreshes', `updates\t${since}\tno answer from mirror\n`));
    const still = failing(1_796_060_290);
    assert.deepEqual(still.metadata?.refreshFailed, { message: 'no answer from mirror', sinceMs: 1_796_060_290_000 });
    assert.ok(still.problems.some(({ code, isIncomplete }) => code === 'refresh' && isIncomplete));
    assert.equal(failing(1_796_060_200).metadata?.refreshFailed, undefined);
  });

  test('is as old as its oldest repository', () => {
    assert.deepEqual([scan().metadata?.isStale, scan(undefined, 1_000).metadata?.isStale], [false, true]);
  });

  test('installs nothing on a system that is an image', () => {
    const { problems } = scan((sections) => sections.set('rpm-image', 'ostree\n'));
    assert.deepEqual(
      problems.filter(({ isBlocking }) => isBlocking).map(({ code }) => code),
      ['image'],
    );
  });
});
