import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Update } from '../../../src/domain/update.ts';
import type { PackageScan } from '../../../src/managers/contract/package-manager.ts';
import { pacman } from '../../../src/managers/pacman/pacman.ts';
import { aScan } from '../../domain/fixtures.ts';
import { captured } from './rig.ts';

const { facts, privileges } = aScan();
/** When the answer was captured. */
const collectedMs = 1_796_072_800_000;

interface Over {
  readonly name?: string;
  readonly change?: (sections: Map<string, string>) => void;
  readonly maxAgeMs?: number;
  readonly isContainer?: boolean;
}

function scan({ name = 'everything', change, maxAgeMs = 3_600_000, isContainer = false }: Over = {}): PackageScan {
  const sections = captured(name);
  change?.(sections);
  const own = { ...facts, uptimeSec: 10, clockSkewMs: 0, isContainer };
  return pacman.parseScan(sections, { collectedMs, maxAgeMs, facts: own, privileges });
}

function withSection(name: string, text: string): Over {
  return { change: (sections) => sections.set(name, text) };
}

function named({ updates }: PackageScan, name: string): Update {
  const found = updates.find((update) => update.name === name);
  assert.ok(found, name);
  return found;
}

describe('a scan with pacman', () => {
  test('reports an update with both versions, architecture, repository, base and size', () => {
    assert.deepEqual(named(scan(), 'mpv'), {
      ...{ manager: 'pacman', name: 'mpv', arch: 'x86_64', from: '1:0.40.0-2', to: '1:0.40.0-4', origins: ['extra'] },
      ...{ class: 'unknown', isKernel: false, source: 'mpv', sourceVersion: '1:0.40.0-4', sizeBytes: 668 },
    });
    assert.equal(scan().updates.length, 12);
  });

  test('does not know which updates close security holes', () => {
    const { securityKnown, updates } = scan();
    assert.equal(securityKnown, false);
    assert.ok(updates.every((update) => update.class === 'unknown'));
  });

  test('keeps back what IgnorePkg names, and nothing else', () => {
    const held = scan().updates.filter(({ heldBack }) => heldBack !== undefined);
    assert.deepEqual(
      held.map(({ name, heldBack }) => [name, heldBack]),
      [['held', { kind: 'held' }]],
    );
  });

  test('names the packages that the upgrade would bring in', () => {
    const added = scan().newPackages?.map(({ name, arch, from, to, origins }) => [name, arch, from, to, origins]);
    assert.deepEqual(added, [['newdep', 'x86_64', null, '1.1-1', ['core']]]);
  });

  test('distinguishes kernels and packages that need a restart from others', () => {
    const kernels = scan().updates.filter(({ isKernel }) => isKernel);
    assert.deepEqual(
      kernels.map(({ name }) => name),
      ['linux'],
    );
  });

  test('reports a package that another would replace, which pacman does without a question where nobody is asked', () => {
    const replacing = scan({ name: 'replacing' });
    const update = named(replacing, 'pluginy');
    assert.deepEqual(update.heldBack, { kind: 'needs-removal', packages: ['pluginy'] });
    assert.equal(update.title, 'replaced by newtool');
    // A repository before the other still has the package: nothing replaces it.
    const kept = scan({
      name: 'replacing',
      change: (sections) => sections.set('pacman-repositories', 'core\t1\t1\nextra\t1\t1\nreplacing\t1\t1\n'),
    });
    assert.deepEqual(
      kept.updates.filter(({ name }) => name === 'pluginy'),
      [],
    );
  });

  test('finds a conflict with what is installed, which pacman -Sup does not look for', () => {
    const conflicting = scan({ name: 'conflicting' });
    assert.deepEqual(named(conflicting, 'appx').heldBack, { kind: 'needs-removal', packages: ['pluginy'] });
    assert.deepEqual(
      conflicting.problems.map(({ message }) => message),
      ['pacman cannot upgrade: appx 2.0-1 and pluginy 1.0-1 are in conflict'],
    );
  });

  test('says in the words of pacman why nothing can be upgraded', () => {
    const blocked = scan({ name: 'blocked' });
    assert.equal(blocked.updates.length, 13);
    assert.deepEqual(
      blocked.problems.map(({ message }) => message),
      ["pacman cannot upgrade: unable to satisfy dependency 'nosuchlib>=2' required by appx"],
    );
  });

  test('never takes an answer that pacman did not finish for no updates', () => {
    const unfinished = withSection('pacman-upgrades', 'alpha 1.0-1 -> 1.1-1\n');
    assert.throws(() => scan(unfinished), { code: 'command', message: /the answer is cut off/ });
    assert.throws(() => scan(withSection('pacman-upgrades', 'rc 124\n')), { code: 'command', message: /status 124/ });
    assert.throws(() => scan(withSection('pacman-steps', 'rc 1\n')), { code: 'command', message: /status 1/ });
    const damaged = "error: database 'core' is not valid (invalid or corrupted database (PGP signature))\nrc 1\n";
    assert.throws(() => scan(withSection('pacman-upgrades', damaged)), { code: 'command', message: /is not valid/ });
  });

  test('takes status 1 without a word for none', () => {
    const none = scan({
      change: (sections) => sections.set('pacman-upgrades', 'rc 1\n').set('pacman-steps', 'rc 0\n'),
    });
    assert.deepEqual([none.updates, none.problems], [[], []]);
  });

  test('never reports a host without lists as up to date', () => {
    const unfetched = scan(withSection('pacman-repositories', 'core\t1760007200\t1796072796\nextra\t\n'));
    assert.equal(unfetched.metadata?.isStale, true);
    assert.ok(
      unfetched.problems.some(({ isIncomplete, message }) => isIncomplete && message === 'extra: was never fetched'),
    );
    const none = scan(withSection('pacman-repositories', ''));
    assert.equal(none.metadata?.isStale, true);
    assert.ok(none.problems.some(({ isIncomplete }) => isIncomplete));
  });

  test('reports a repository that fails since a refresh, until it was fetched again', () => {
    const failing = (since: number) =>
      scan(withSection('pacman-refreshes', `core\t${since}\tcore: no answer from mirror.example.test\n`));
    assert.deepEqual(failing(1_796_072_798).metadata?.refreshFailed, {
      message: 'core: no answer from mirror.example.test',
      sinceMs: 1_796_072_798_000,
    });
    assert.equal(failing(1_796_072_700).metadata?.refreshFailed, undefined);
  });

  test('is as old as its oldest repository', () => {
    assert.deepEqual([scan().metadata?.isStale, scan({ maxAgeMs: 1_000 }).metadata?.isStale], [false, true]);
    assert.equal(scan().metadata?.fetchedMs, 1_796_072_796_000);
  });

  test('calls an entry of the database that is not whole broken', () => {
    const { packages } = scan(withSection('pacman-torn', 'big\tx86_64\t1.1-1\n'));
    const big = packages.filter(({ name }) => name === 'big');
    assert.deepEqual(
      big.map(({ version, state }) => [version, state]),
      [['1.1-1', 'broken']],
    );
  });

  test('calls what an upgrade that was cut off has installed broken', () => {
    const { packages } = scan(withSection('pacman-cut-off', 'alpha\n'));
    const broken = packages.filter(({ state }) => state === 'broken');
    assert.deepEqual(
      broken.map(({ name, version }) => [name, version]),
      [['alpha', '1.0-1']],
    );
  });

  test('reports a lock of nobody', () => {
    const { problems } = scan(withSection('pacman-lock', '/var/lib/pacman/db.lck\n'));
    assert.match(problems[0]?.message ?? '', /db\.lck is there, but no process holds it/);
  });

  test('asks for a reboot where the running kernel was replaced, but not in a container', () => {
    const lost = withSection('pacman-kernel', '6.14.7-arch1-1\n');
    assert.equal(scan(lost).rebootReason, 'the package of the running kernel 6.14.7-arch1-1 was replaced');
    assert.equal(scan({ ...lost, isContainer: true }).rebootReason, undefined);
    assert.equal(scan().rebootReason, undefined);
  });

  test('asks for a reboot where the C library was replaced since the start, not where it was before', () => {
    const since = scan({
      change: (sections) => {
        const text = sections.get('pacman-installed') ?? '';
        sections.set('pacman-installed', text.replace(/^(glibc\t.*\t)1796072775/m, '$11796072799'));
      },
    });
    assert.equal(since.rebootReason, 'installed since the host was started: glibc');
  });
});
