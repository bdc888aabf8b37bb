// Captured answers of real hosts, made by the probe in a Debian 12 root with small packages for each case.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { HostScan } from '../../../src/domain/scan.ts';
import type { Update } from '../../../src/domain/update.ts';
import { apt } from '../../../src/managers/apt/apt.ts';
import { readHostScan } from '../../../src/managers/host-scan.ts';
import { parseFrame } from '../../../src/remote/frame.ts';

const fixtures = join(import.meta.dirname, '../..', 'fixtures', 'managers', 'apt');
const dayMs = 86_400_000;

function answer(name: string): Map<string, string> {
  return new Map(parseFrame(readFileSync(join(fixtures, name, 'answer'))));
}

function scan(sections: ReadonlyMap<string, string>, maxAgeMs = dayMs): HostScan {
  const collectedMs = Number((sections.get('clock') ?? '').split('\n')[0]) * 1000;
  return readHostScan(sections, { collectedMs, maxAgeMs });
}

function update(scanned: HostScan, name: string): Update {
  const found = scanned.updates.find((item) => item.name === name);
  assert.ok(found, `no update of ${name}`);
  return found;
}

function without(name: string, section: string): Map<string, string> {
  const sections = answer(name);
  sections.delete(section);
  return sections;
}

describe('a scan of a host with one update of each kind', () => {
  const everything = scan(answer('everything'));

  test('lists every package and who has it installed for what', () => {
    assert.equal(everything.packages.length, 101);
    assert.deepEqual(everything.autoInstalled, ['autolib:amd64']);
    assert.deepEqual(
      everything.packages.filter((item) => item.isHeld).map((item) => item.name),
      ['heldpkg'],
    );
    assert.deepEqual(everything.broken, []);
    assert.deepEqual(everything.problems, []);
    const libc = everything.packages.find((item) => item.name === 'libc6');
    assert.equal(libc?.source, 'glibc');
    assert.equal(libc.state, 'installed');
  });

  test('lists every update once', () => {
    const names = 'autolib badpost confpkg flood gone heldpkg hidden needsnew needsrm phasedlib plain slowpost';
    assert.equal(everything.updates.map((item) => item.name).join(' '), names);
    assert.ok(everything.updates.every((item) => item.from === '1.0'));
  });

  test('finds the security version behind a newer ordinary one', () => {
    assert.deepEqual(update(everything, 'hidden'), {
      manager: 'apt',
      name: 'hidden',
      arch: 'amd64',
      from: '1.0',
      to: '3.0',
      origins: ['Debian:stable-updates'],
      class: 'security',
      securityTo: '2.0',
      isKernel: false,
    });
  });

  test('finds the security version behind a phased one', () => {
    const phased = update(everything, 'phasedlib');
    assert.equal(phased.class, 'security');
    assert.equal(phased.to, '1.2');
    assert.equal(phased.securityTo, '1.1');
    assert.deepEqual(phased.heldBack, { kind: 'phased', percent: 10 });
  });

  test('distinguishes a held security update from none', () => {
    const held = update(everything, 'heldpkg');
    assert.equal(held.class, 'security');
    assert.deepEqual(held.heldBack, { kind: 'held' });
  });

  test('lists what an update would add or remove', () => {
    assert.deepEqual(update(everything, 'needsnew').heldBack, { kind: 'needs-new', packages: ['newdep:amd64'] });
    assert.deepEqual(update(everything, 'needsrm').heldBack, { kind: 'needs-removal', packages: ['victim:amd64'] });
    assert.deepEqual(
      everything.newPackages?.map((item) => `${item.name} ${item.to}`),
      ['newdep 1.0'],
    );
  });

  test('leaves ordinary updates ordinary', () => {
    const plain = update(everything, 'plain');
    assert.equal(plain.arch, 'all');
    assert.equal(plain.class, 'other');
    assert.equal(plain.heldBack, undefined);
    assert.equal(plain.securityTo, undefined);
  });

  test('knows the host', () => {
    const { facts, privileges, disks } = everything;
    assert.equal(facts.hostName, 'web01');
    assert.equal(facts.osId, 'debian');
    assert.equal(facts.osVersion, '12');
    assert.equal(facts.bootId, '01234567-89ab-cdef-0123-456789abcdef');
    assert.equal(facts.machineId, undefined);
    assert.equal(facts.isContainer, false);
    assert.deepEqual(privileges, { user: 'root', isRoot: true });
    assert.deepEqual(
      disks.map((disk) => disk.mount),
      ['/'],
    );
  });

  test('knows how old its lists are', () => {
    assert.equal(everything.metadata.isStale, false);
    assert.equal(everything.metadata.repositories.length, 3);
    assert.equal(scan(answer('everything'), 1000).metadata.isStale, true);
  });

  test('counts a configured origin as a security source', () => {
    const sections = answer('everything');
    sections.set('security-origins', 'Debian\n');
    assert.equal(update(scan(sections), 'plain').class, 'security');
    assert.equal(update(scan(sections), 'hidden').securityTo, undefined);
  });

  test('of a host that was never refreshed is stale', () => {
    const sections = answer('everything');
    for (const name of ['apt-success', 'apt-metadata']) sections.set(name, '');
    sections.set('apt-targets', '-\thttp://deb.example/debian/dists/stable/\tdeb.example_debian_dists_stable_\n');
    const { metadata } = scan(sections);
    assert.equal(metadata.fetchedMs, undefined);
    assert.equal(metadata.isStale, true);
  });
});

describe('a scan', () => {
  test('of a host without a security source does not know its security updates, rather than none', () => {
    const blind = scan(answer('no-security-source'));
    assert.equal(blind.securityKnown, false);
    assert.deepEqual([...new Set(blind.updates.map((item) => item.class))], ['unknown']);
    assert.equal(scan(answer('everything')).securityKnown, true);
  });

  test('names a package that is half configured, a conffile left behind and a dead repository', () => {
    const broken = scan(answer('broken'));
    assert.deepEqual(
      broken.broken.map((item) => `${item.name} ${item.version} ${item.stateDetail}`),
      ['badpost 1.1 iF'],
    );
    assert.deepEqual(broken.conffileLeftovers, ['/etc/confpkg.conf.dpkg-dist']);
    assert.deepEqual(broken.problems, [
      { code: 'repository', message: 'copy:/repo/dead/./: was never fetched, or is not there any more' },
    ]);
  });

  test('takes packages that only await triggers, as dpkg-query writes them, for well', () => {
    for (const status of ['it ', 'iW ']) {
      const sections = answer('broken');
      const list = sections.get('apt-installed') ?? '';
      assert.match(list, /\tiF \t/);
      sections.set('apt-installed', list.replace('\tiF \t', `\t${status}\t`));
      assert.deepEqual(scan(sections).broken, []);
    }
  });

  for (const section of ['apt-installed', 'apt-normal', 'apt-security', 'uname']) {
    test(`without the section ${section} is an error, never a host without updates`, () => {
      assert.throws(() => scan(without('everything', section)), { code: 'parse' });
    });
  }

  test('without one installed package is an error', () => {
    const sections = answer('everything');
    sections.set('apt-installed', 'removed\tamd64\t1.0\trc \tremoved\t1.0\n');
    assert.throws(() => scan(sections), { code: 'parse', message: /no installed package/ });
  });

  test('whose apt failed is an error with its words, unless packages are broken and wait for repair', () => {
    const failed = 'E: Type nonsense is not known on line 5 in source list /etc/apt/sources.list\nrc 100\n';
    const sections = answer('everything');
    for (const name of ['apt-normal', 'apt-wide', 'apt-security']) sections.set(name, failed);
    assert.throws(() => scan(sections), { code: 'command', message: /cannot list pending updates: Type nonsense/ });
    const broken = answer('broken');
    for (const name of ['apt-normal', 'apt-wide', 'apt-security']) broken.set(name, 'E: Unmet dependencies.\nrc 100\n');
    assert.equal(scan(broken).problems[0]?.message, 'Unmet dependencies.');
  });

  test('of a host without space for temporary files has that error', () => {
    const sections = new Map([...without('everything', 'apt-normal'), ['problem', 'disk there is no room\n'] as const]);
    assert.throws(() => scan(sections), { code: 'disk', message: 'there is no room' });
  });

  test('of a host without a package manager we know names its system', () => {
    const sections = answer('everything');
    sections.set('managers', '');
    assert.throws(() => scan(sections), { code: 'config', message: /Debian GNU\/Linux 12/ });
  });

  test('recognises a dead repository by the date on which its lists expired', () => {
    const sections = answer('everything');
    const line = 'x_Release\t1700000000\tLabel=Corp\tCodename=stable\tValid-Until=Sat, 02 Mar 2024 10:00:00 UTC\t\n';
    sections.set('apt-metadata', line);
    sections.set('apt-targets', '+\thttp://corp.example/x/\tx_\n');
    assert.deepEqual(scan(sections).problems, [
      { code: 'repository', message: 'Corp stable: its lists expired on 2024-03-02' },
    ]);
  });

  test('reports a new kernel that lacks its initrd', () => {
    const sections = answer('everything');
    sections.set('missing-initrd', '6.1.0-32-amd64\n');
    assert.equal(scan(sections).problems[0]?.code, 'initrd-missing');
  });
});

describe('the answer to a simulation', () => {
  const simulation = apt.parseSimulation(answer('simulate'));

  test('lists what would go in, and nothing that was not asked for', () => {
    assert.deepEqual(
      simulation.installs.map((item) => `${item.name}:${item.arch} ${item.from ?? '-'} ${item.to}`).sort(),
      ['hidden:amd64 1.0 2.0', 'needsnew:amd64 1.0 1.1', 'newdep:amd64 - 1.0', 'plain:all 1.0 1.1'],
    );
    assert.deepEqual(simulation.removes, []);
    assert.deepEqual(simulation.errors, []);
  });

  test('reports the bytes to download, of each package and in all', () => {
    assert.deepEqual(Object.fromEntries(simulation.installs.map(({ name, sizeBytes }) => [name, sizeBytes])), {
      hidden: 602,
      needsnew: 614,
      newdep: 604,
      plain: 602,
    });
    assert.equal(simulation.downloadBytes, 602 + 614 + 604 + 602);
  });

  test('finds the size of a version with an epoch by the name that apt gives its file', () => {
    const sections = answer('simulate');
    const uri = "'http://deb.example/pool/p/plain_1.1_all.deb' plain_1%3a1.1-1+deb12u1_all.deb 131728 \n";
    sections.set('apt-uris', uri);
    sections.set('apt-pinned', 'Inst plain [1.0] (1:1.1-1+deb12u1 Debian:12.11/stable [all])\nrc 0\n');
    const { installs, downloadBytes } = apt.parseSimulation(sections);
    assert.deepEqual([installs[0]?.sizeBytes, downloadBytes], [131_728, 131_728]);
  });

  test('reports the state of each requested package, and what is available', () => {
    assert.deepEqual(simulation.installed['apt/autolib:amd64'], { version: '1.0', state: 'installed' });
    assert.equal(simulation.installed['apt/newdep:amd64'], undefined);
    assert.deepEqual(
      simulation.available['hidden']?.map((item) => item.version),
      ['3.0', '2.0', '1.0'],
    );
    assert.deepEqual(simulation.available['hidden'][1]?.origins, ['Debian-Security:stable-security']);
  });
});
