import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Policy } from '../../../src/domain/playbook.ts';
import type { HostScan } from '../../../src/domain/scan.ts';
import type { Simulation } from '../../../src/domain/simulation.ts';
import type { Update } from '../../../src/domain/update.ts';
import { planWorkload, refusePartial } from '../../../src/engine/plan/resolve-updates.ts';
import type { HostWorkload } from '../../../src/engine/plan/resolve-updates.ts';
import type { Pin } from '../../../src/managers/contract/package-manager.ts';
import { anUpdate, aScan, everything } from '../../domain/fixtures.ts';

/** What a package needs besides itself: `name=version`. */
type Needs = Readonly<Record<string, readonly string[]>>;

interface Over {
  readonly policy?: Partial<Policy>;
  readonly newPackages?: NonNullable<HostScan['newPackages']>;
  readonly mode?: 'download' | 'cached';
}

interface Asked {
  readonly workload: HostWorkload;
  /** The pins of each question to the host. */
  readonly asked: string[][];
}

/** A package manager that installs what is pinned when everything it needs is pinned or there. */
async function ask(updates: readonly Update[], needs: Needs, over: Over = {}): Promise<Asked> {
  const asked: string[][] = [];
  const from = new Map(updates.map((update) => [update.name, update.from]));
  const simulate = (pins: readonly Pin[]): Promise<Simulation> => {
    asked.push(pins.map((pin) => `${pin.name}=${pin.to}`).toSorted());
    const pinned = new Set(pins.map((pin) => `${pin.name}=${pin.to}`));
    const isInstallable = (name: string): boolean => (needs[name] ?? []).every((need) => pinned.has(need));
    const wantedNew = new Set(pins.filter((pin) => isInstallable(pin.name)).flatMap((pin) => needs[pin.name] ?? []));
    const goes = (pin: Pin): boolean =>
      isInstallable(pin.name) && (from.has(pin.name) || wantedNew.has(`${pin.name}=${pin.to}`));
    const newVersions = Object.values(needs)
      .flat()
      .map((need) => need.split('='));
    return Promise.resolve({
      installs: pins.filter(goes).map(({ manager, name, arch, to }) => ({
        manager,
        name,
        arch,
        to,
        from: from.get(name) ?? null,
        origins: ['Debian:12/stable'],
        sizeBytes: 10,
      })),
      removes: [],
      downloadBytes: 10 * pins.filter(goes).length,
      errors: [],
      installed: {},
      available: Object.fromEntries(
        newVersions.map(([name = '', version = '']) => [`${name}:amd64`, [{ version, origins: [] }]]),
      ),
    });
  };
  const { newPackages, mode } = over;
  const scan = aScan({ updates, ...(newPackages === undefined ? {} : { newPackages }) });
  const policy = { ...everything, ...over.policy };
  return {
    workload: await planWorkload({ scan, policy, patchHold: [], simulate, ...(mode === undefined ? {} : { mode }) }),
    asked,
  };
}

function versions(workload: HostWorkload): string[] {
  return workload.updates.map((update) => `${update.name}=${update.to}`).toSorted();
}

describe('the work of one host', () => {
  const nginx = anUpdate();
  const curl = anUpdate({ name: 'curl', from: '7.0', to: '7.1', class: 'security' });

  test('of a download is what can be downloaded, of an install of what is there only that', async () => {
    const updates = [
      anUpdate({ name: 'KB1', isDownloaded: true }),
      anUpdate({ name: 'KB2', isDownloaded: false }),
      anUpdate({ name: 'vlc' }),
    ];
    const taken = async (mode?: 'download' | 'cached'): Promise<string[]> => {
      const { workload } = await ask(updates, {}, mode === undefined ? {} : { mode });
      return workload.updates.map((update) => update.name);
    };
    assert.deepEqual(await taken(), ['KB1', 'KB2', 'vlc']);
    assert.deepEqual(await taken('download'), ['KB1', 'KB2']);
    assert.deepEqual(await taken('cached'), ['KB1']);
    const { workload } = await ask(updates, {}, { mode: 'cached' });
    assert.deepEqual(
      workload.leftOut.map(({ name, reason }) => [name, reason]),
      [
        ['KB2', 'not downloaded, and install.mode is cached'],
        ['vlc', 'its package manager cannot download in advance'],
      ],
    );
  });

  test('is what its package manager does under exactly these pins, asked once', async () => {
    const { workload, asked } = await ask([nginx, curl], {});
    assert.deepEqual(versions(workload), ['curl=7.1', 'nginx=1.1']);
    assert.deepEqual(asked, [['curl=7.1', 'nginx=1.1']]);
    assert.equal(workload.downloadBytes, 20);
    assert.deepEqual(workload.updates[0]?.origins, ['Debian:12/stable']);
  });

  test('keeps the size of each download, of new dependencies too', async () => {
    const { workload } = await ask([nginx, curl], { nginx: ['libnew=1'] });
    assert.deepEqual(
      workload.updates.map(({ sizeBytes }) => sizeBytes),
      workload.updates.map(() => 10),
    );
  });

  test('without updates asks the host nothing', async () => {
    const { workload, asked } = await ask([], {});
    assert.deepEqual(workload, { updates: [], leftOut: [], downloadBytes: 0 });
    assert.deepEqual(asked, []);
  });

  test('brings in the new dependency that the scan names, and only what is needed', async () => {
    const newPackages = ['libnew', 'libother'].map((name) => ({
      manager: 'apt',
      name,
      arch: 'amd64',
      from: null,
      to: '2.0',
      origins: [],
    }));
    const { workload, asked } = await ask([nginx], { nginx: ['libnew=2.0'] }, { newPackages });
    assert.deepEqual(versions(workload), ['libnew=2.0', 'nginx=1.1']);
    assert.deepEqual(asked.at(-1), ['libnew=2.0', 'nginx=1.1']);
    const added = workload.updates.find((update) => update.name === 'libnew');
    assert.equal(added?.from, null);
    assert.equal(added.reason, 'needed by nginx');
  });

  test('asks for the version of a new dependency that is known by name alone', async () => {
    const needing = anUpdate({ heldBack: { kind: 'needs-new', packages: ['libnew'] } });
    const { workload } = await ask([needing], { nginx: ['libnew=2.0'] });
    assert.deepEqual(versions(workload), ['libnew=2.0', 'nginx=1.1']);
    assert.equal('heldBack' in (workload.updates[0] ?? {}), false);
  });

  test('takes the image of a new kernel ABI as a kernel, with the class of what needs it', async () => {
    const meta = anUpdate({ name: 'linux-image-amd64', class: 'security', isKernel: true });
    const image = {
      manager: 'apt',
      name: 'linux-image-6.1.0-31-amd64',
      arch: 'amd64',
      from: null,
      to: '6.1.31',
      origins: [],
    };
    const needs = { 'linux-image-amd64': ['linux-image-6.1.0-31-amd64=6.1.31'] };
    const { workload } = await ask([nginx, meta], needs, { newPackages: [image] });
    const added = workload.updates.find((update) => update.from === null);
    assert.deepEqual([added?.isKernel, added?.class, added?.reason], [true, 'security', 'needed by linux-image-amd64']);
  });

  test('leaves out what needs an update the playbook excludes, and names it', async () => {
    const policy = { policy: { exclude: [{ packages: ['curl'] }] } };
    const { workload, asked } = await ask([nginx, curl], { nginx: ['curl=7.1'] }, policy);
    assert.deepEqual(workload.updates, []);
    const reason = workload.leftOut.find((item) => item.name === 'nginx')?.reason;
    assert.equal(reason, 'needs packages that the playbook excludes (curl)');
    assert.deepEqual(asked.at(-1), ['curl=7.1', 'nginx=1.1']);
  });

  test('freezes what is left when one cannot go in', async () => {
    const { workload, asked } = await ask([nginx, curl], { nginx: ['nowhere=1'] });
    assert.deepEqual(versions(workload), ['curl=7.1']);
    assert.deepEqual(asked, [['curl=7.1', 'nginx=1.1'], ['curl=7.1']]);
    assert.match(workload.leftOut[0]?.reason ?? '', /keeps it back/);
  });

  test('lists what is planned and what is left out with the titles of the scan', async () => {
    const [planned, leftOut] = [
      { ...nginx, title: 'A web server' },
      { ...curl, title: 'A client' },
    ];
    const { workload } = await ask([planned, leftOut], {}, { policy: { exclude: [{ packages: ['curl'] }] } });
    assert.equal(workload.updates[0]?.title, 'A web server');
    assert.equal(workload.leftOut[0]?.title, 'A client');
  });

  test('refuses a host whose package manager would remove something', async () => {
    const simulate = (): Promise<Simulation> =>
      Promise.resolve({
        installs: [],
        removes: [{ manager: 'apt', name: 'exim4', arch: 'amd64', version: '4.0' }],
        downloadBytes: 0,
        errors: [],
        installed: {},
        available: {},
      });
    const scan = aScan({ updates: [nginx] });
    await assert.rejects(
      planWorkload({ scan, policy: everything, patchHold: [], simulate, simulateCommand: 'dnf --assumeno upgrade' }),
      {
        message: /would remove exim4:amd64/,
        hint: 'run dnf --assumeno upgrade on the host to see why; exclude the update that requires it',
      },
    );
  });
});

describe('a package manager that installs everything or nothing', () => {
  const manager = { name: 'pacman', limits: { wholeUpgrade: 'Arch Linux does not support partial upgrades' } };
  const nothing: HostWorkload = { updates: [], leftOut: [], downloadBytes: 0 };
  const leftOut = (over: Partial<HostWorkload['leftOut'][number]> = {}) => ({
    ...anUpdate({ name: 'linux', to: '6.15-1' }),
    reason: 'excluded by the playbook (linux*)',
    ...over,
  });

  test('refuses a plan that leaves anything out, with the reason', () => {
    assert.throws(() => refusePartial(manager, { ...nothing, leftOut: [leftOut()] }, everything), {
      code: 'command',
      message:
        'Arch Linux does not support partial upgrades, and this would leave out linux 6.15-1 (excluded by the playbook (linux*))',
    });
  });

  test('refuses one with a new package where the playbook refuses those', async () => {
    const { workload } = await ask(
      [anUpdate({ name: 'app' })],
      { app: ['lib=1'] },
      {
        newPackages: [{ manager: 'apt', name: 'lib', arch: 'amd64', from: null, to: '1', origins: [] }],
      },
    );
    assert.ok(workload.updates.some(({ from }) => from === null));
    refusePartial(manager, workload, everything);
    assert.throws(() => refusePartial(manager, workload, { newPackages: 'refuse' }), {
      message: /would leave out lib 1 \(a new package, which the playbook refuses\)/,
    });
  });

  test('has a plan without what the host itself keeps at its version, and one that is whole', () => {
    refusePartial(manager, { ...nothing, leftOut: [leftOut({ heldBack: { kind: 'held' } })] }, everything);
    refusePartial(manager, nothing, everything);
  });

  test('is no other: those leave out what the playbook says', () => {
    refusePartial({ name: 'apt', limits: {} }, { ...nothing, leftOut: [leftOut()] }, everything);
  });
});
