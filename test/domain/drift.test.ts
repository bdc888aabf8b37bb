import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { installMismatch, judgeDrift } from '../../src/domain/drift.ts';
import { planRefusal } from '../../src/domain/plan-refusal.ts';
import type { DriftJudgement } from '../../src/domain/drift.ts';
import type { PlannedUpdate } from '../../src/domain/plan.ts';
import type { OnDrift } from '../../src/domain/playbook.ts';
import type { Simulation } from '../../src/domain/simulation.ts';
import { packageKey } from '../../src/domain/update.ts';
import { aHostPlan, aPlanned } from './fixtures.ts';

const debian = ['Debian:12.5/oldstable'];
const nginx = aPlanned();
const curl = aPlanned({ name: 'curl', from: '7.0', to: '7.1' });
const library = aPlanned({ name: 'libnew', from: null, to: '2.0' });

/** What the host says while nothing has happened since the plan. */
function asPlanned(updates: readonly PlannedUpdate[]): Simulation {
  const versions = (update: PlannedUpdate): Simulation['available'][string] =>
    [update.to, update.from].flatMap((version) => (version === null ? [] : [{ version, origins: debian }]));
  return {
    installs: updates.map(({ manager, name, arch, from, to }) => ({ manager, name, arch, from, to, origins: debian })),
    removes: [],
    downloadBytes: 100,
    errors: [],
    installed: Object.fromEntries(
      updates.map((update) => [
        packageKey(update),
        update.from === null ? null : { version: update.from, state: 'installed' as const },
      ]),
    ),
    available: Object.fromEntries(updates.map((update) => [`${update.name}:${update.arch}`, versions(update)])),
  };
}

interface Change {
  /** Installed version now, null = removed. */
  readonly now?: string | null;
  readonly stateDetail?: string;
  /** Versions on offer, newest first. */
  readonly offers?: readonly string[];
  readonly offerOrigins?: readonly string[];
  /** False: the dry run does not install it. */
  readonly goesIn?: boolean;
}

function changed(updates: readonly PlannedUpdate[], name: string, change: Change): Simulation {
  const base = asPlanned(updates);
  const [key, label] = [packageKey({ manager: 'apt', name, arch: 'amd64' }), `${name}:amd64`];
  const { now, stateDetail, offers, goesIn = false } = change;
  const state = stateDetail === undefined ? { state: 'installed' as const } : { state: 'broken' as const, stateDetail };
  const origins = change.offerOrigins ?? debian;
  const installed = now === null ? null : now === undefined ? base.installed[key] : { version: now, ...state };
  const available = offers?.map((version) => ({ version, origins })) ?? base.available[label] ?? [];
  return {
    ...base,
    installs: base.installs.filter((item) => goesIn || item.name !== name),
    installed: { ...base.installed, [key]: installed ?? null },
    available: { ...base.available, [label]: available },
  };
}

function judge(updates: readonly PlannedUpdate[], simulation: Simulation, onDrift: OnDrift): DriftJudgement {
  return judgeDrift({ plan: { updates, removals: [] }, simulation, onDrift });
}

/** A short word for a judgement: `clean nginx`, `adjusted curl skip nginx`, `drifted`. */
function told(judgement: DriftJudgement): string {
  const names = (label: string, items: readonly { readonly name: string }[]): string[] =>
    items.length === 0 ? [] : [`${label} ${items.map((item) => item.name).join(',')}`];
  if (judgement.kind === 'drifted') return 'drifted';
  const adjusted =
    judgement.kind === 'clean'
      ? []
      : [
          ...names(
            'skip',
            judgement.skipped.map((item) => item.update),
          ),
          ...judgement.superseded.map(({ successor }) => `supersede ${successor.name}=${successor.to}`),
        ];
  return [judgement.kind, ...names('install', judgement.install), ...names('done', judgement.done), ...adjusted].join(
    ' ',
  );
}

interface Case {
  readonly title: string;
  readonly simulation: Simulation;
  readonly refuse: string | RegExp;
  readonly skip: string | RegExp;
  readonly supersede: string | RegExp;
}

const both = [nginx, curl];

const cases: readonly Case[] = [
  {
    title: 'nothing happened since',
    simulation: asPlanned(both),
    refuse: 'clean install nginx,curl',
    skip: 'clean install nginx,curl',
    supersede: 'clean install nginx,curl',
  },
  {
    title: 'one is at its planned version already',
    simulation: changed(both, 'nginx', { now: '1.1' }),
    refuse: 'clean install curl done nginx',
    skip: 'clean install curl done nginx',
    supersede: 'clean install curl done nginx',
  },
  {
    title: 'one is held and at its planned version',
    simulation: changed(both, 'nginx', { now: '1.1' }),
    refuse: 'clean install curl done nginx',
    skip: 'clean install curl done nginx',
    supersede: 'clean install curl done nginx',
  },
  {
    title: 'one is at its planned version but half configured',
    simulation: changed(both, 'nginx', { now: '1.1', stateDetail: 'iF' }),
    refuse: /nginx:amd64 is at 1\.1 but not properly installed \(iF\)/,
    skip: 'adjusted install curl skip nginx',
    supersede: /not properly installed/,
  },
  {
    title: 'a newer version is published beside the planned one',
    simulation: changed(both, 'nginx', { offers: ['1.3', '1.1', '1.0'], goesIn: true }),
    refuse: 'clean install nginx,curl',
    skip: 'clean install nginx,curl',
    supersede: 'clean install nginx,curl',
  },
  {
    title: 'the planned version has left the repository for a successor',
    simulation: changed(both, 'nginx', { offers: ['1.2', '1.0'] }),
    refuse: /nginx:amd64 1\.1 has left the repository/,
    skip: 'adjusted install curl skip nginx',
    supersede: 'adjusted install curl,nginx supersede nginx=1.2',
  },
  {
    title: 'the successor comes with the next point release',
    simulation: changed(both, 'nginx', { offers: ['1.2', '1.0'], offerOrigins: ['Debian:12.6/oldstable'] }),
    refuse: /has left/,
    skip: 'adjusted install curl skip nginx',
    supersede: 'adjusted install curl,nginx supersede nginx=1.2',
  },
  {
    title: 'the successor is of another origin',
    simulation: changed(both, 'nginx', { offers: ['1.2', '1.0'], offerOrigins: ['Elsewhere:12/oldstable'] }),
    refuse: /has left/,
    skip: 'adjusted install curl skip nginx',
    supersede: /has left the repository and has no successor there/,
  },
  {
    title: 'the planned version has left and only the installed one is on offer',
    simulation: changed(both, 'nginx', { offers: ['1.0'] }),
    refuse: /has left/,
    skip: 'adjusted install curl skip nginx',
    supersede: /no successor/,
  },
  {
    title: 'the planned version has left and only older ones are on offer',
    simulation: changed(both, 'nginx', { offers: ['1.0', '0.9'] }),
    refuse: /has left/,
    skip: 'adjusted install curl skip nginx',
    supersede: /no successor/,
  },
  {
    title: 'the installed version is another one, the planned one still goes in',
    simulation: changed(both, 'nginx', { now: '0.9', offers: ['1.1', '1.0'], goesIn: true }),
    refuse: /nginx:amd64 is at 0\.9, planned from 1\.0 to 1\.1/,
    skip: 'adjusted install curl skip nginx',
    supersede: /is at 0\.9/,
  },
  {
    title: 'somebody installed something newer than planned',
    simulation: changed(both, 'nginx', { now: '1.2', offers: ['1.2', '1.1', '1.0'] }),
    refuse: /is at 1\.2, planned from 1\.0 to 1\.1/,
    skip: 'adjusted install curl skip nginx',
    supersede: 'adjusted install curl skip nginx',
  },
  {
    title: 'the package was removed',
    simulation: changed(both, 'nginx', { now: null }),
    refuse: /nginx:amd64 is not installed any more/,
    skip: 'adjusted install curl skip nginx',
    supersede: 'adjusted install curl skip nginx',
  },
  {
    title: 'the package manager keeps the planned version back',
    simulation: { ...changed(both, 'nginx', {}), errors: ['E: held broken packages'] },
    refuse: /nginx:amd64 1\.1 would not be installed \(E: held broken packages\)/,
    skip: 'adjusted install curl skip nginx',
    supersede: /would not be installed/,
  },
  {
    title: 'a removal appears',
    simulation: { ...asPlanned(both), removes: [{ manager: 'apt', name: 'exim4', arch: 'amd64', version: '4.0' }] },
    refuse: /exim4:amd64 4\.0 would be removed/,
    skip: /would be removed/,
    supersede: /would be removed/,
  },
  {
    title: 'a new dependency appears that the plan does not name',
    simulation: {
      ...asPlanned(both),
      installs: [
        ...asPlanned(both).installs,
        { manager: 'apt', name: 'libx', arch: 'amd64', from: null, to: '1', origins: [] },
      ],
    },
    refuse: /libx:amd64 1 would be newly installed, which the plan does not name/,
    skip: /would be newly installed/,
    supersede: /would be newly installed/,
  },
];

describe('drift', () => {
  for (const { title, simulation, ...expected } of cases) {
    for (const [onDrift, wanted] of [
      ['refuse-host', expected.refuse],
      ['skip-package', expected.skip],
      ['supersede', expected.supersede],
    ] as const) {
      test(`${title}: ${onDrift}`, () => {
        const judgement = judge(both, simulation, onDrift);
        if (typeof wanted === 'string') assert.equal(told(judgement), wanted);
        else assert.match(judgement.kind === 'drifted' ? judgement.reasons.join('; ') : told(judgement), wanted);
      });
    }
  }

  test('a planned new dependency is none', () => {
    const updates = [nginx, library];
    assert.equal(told(judge(updates, asPlanned(updates), 'refuse-host')), 'clean install nginx,libnew');
  });

  test('a new dependency stays in reach of the successor of what needs it', () => {
    const updates = [nginx, library];
    const gone = changed(updates, 'nginx', { offers: ['1.2', '1.0'] });
    const simulation = { ...gone, installs: [] };
    assert.equal(told(judge(updates, simulation, 'supersede')), 'adjusted install libnew,nginx supersede nginx=1.2');
    assert.equal(told(judge(updates, simulation, 'skip-package')), 'adjusted skip nginx,libnew');
    assert.equal(told(judge(updates, simulation, 'refuse-host')), 'drifted');
  });

  test('a new dependency that nothing asks for any more is drift, even where successors may come', () => {
    const updates = [nginx, library];
    assert.equal(told(judge(updates, changed(updates, 'libnew', {}), 'supersede')), 'drifted');
  });

  test('a planned removal is none', () => {
    const removal = { manager: 'apt', name: 'linux-image-old', arch: 'amd64', version: '1' };
    const simulation = { ...asPlanned(both), removes: [removal] };
    const judgement = judgeDrift({ plan: { updates: both, removals: [removal] }, simulation, onDrift: 'refuse-host' });
    assert.equal(judgement.kind, 'clean');
  });

  test('all reasons are given, not only the first', () => {
    const judgement = judge(both, { ...asPlanned(both), installs: [] }, 'refuse-host');
    assert.equal(judgement.kind === 'drifted' ? judgement.reasons.length : 0, 2);
  });

  test('the successor keeps what was approved of the planned update and names what it replaces', () => {
    const judgement = judge(both, changed(both, 'nginx', { offers: ['1.2', '1.0'] }), 'supersede');
    assert.ok(judgement.kind === 'adjusted');
    const [first] = judgement.superseded;
    assert.equal(first?.planned.to, '1.1');
    assert.equal(first?.successor.from, '1.0');
    assert.match(first?.successor.reason ?? '', /supersedes 1\.1/);
  });
});

describe('a kernel whose ABI moved on', () => {
  const meta = aPlanned({ name: 'linux-image-amd64', from: '6.1.30', to: '6.1.31', isKernel: true });
  const image = aPlanned({ name: 'linux-image-6.1.0-31-amd64', from: null, to: '6.1.31', isKernel: true });
  const moved = (extra: Simulation['available']): Simulation => ({
    ...asPlanned([]),
    installed: { 'apt/linux-image-amd64:amd64': { version: '6.1.30', state: 'installed' } },
    available: {
      'linux-image-amd64:amd64': [
        { version: '6.1.32', origins: debian },
        { version: '6.1.30', origins: debian },
      ],
      ...extra,
    },
  });

  test('is superseded by the image of the new ABI of the same meta-package', () => {
    const next = { 'linux-image-6.1.0-32-amd64:amd64': [{ version: '6.1.32', origins: debian }] };
    const judgement = judge([meta, image], moved(next), 'supersede');
    assert.equal(
      told(judgement),
      'adjusted install linux-image-amd64,linux-image-6.1.0-32-amd64 ' +
        'supersede linux-image-amd64=6.1.32 supersede linux-image-6.1.0-32-amd64=6.1.32',
    );
  });

  test('is superseded too while the image of the old ABI is still on offer', () => {
    const both = {
      'linux-image-6.1.0-31-amd64:amd64': [{ version: '6.1.31', origins: debian }],
      'linux-image-6.1.0-32-amd64:amd64': [{ version: '6.1.32', origins: debian }],
    };
    assert.match(told(judge([meta, image], moved(both), 'supersede')), /linux-image-6\.1\.0-32-amd64=6\.1\.32$/);
  });

  test('is not superseded by an image of another flavour or origin', () => {
    const cloud = { 'linux-image-6.1.0-32-cloud-amd64:amd64': [{ version: '6.1.32', origins: debian }] };
    assert.equal(judge([meta, image], moved(cloud), 'supersede').kind, 'drifted');
    const other = { 'linux-image-6.1.0-32-amd64:amd64': [{ version: '6.1.32', origins: ['Elsewhere:1/x'] }] };
    assert.equal(judge([meta, image], moved(other), 'supersede').kind, 'drifted');
  });
});

describe('an adjusted set', () => {
  test('that goes in exactly has no mismatch', () => {
    assert.deepEqual(installMismatch(both, asPlanned(both)), []);
  });

  test('that pulls something new, removes something or stays out has one each', () => {
    const simulation: Simulation = {
      ...asPlanned([nginx]),
      installs: [
        ...asPlanned([nginx]).installs,
        { manager: 'apt', name: 'libx', arch: 'amd64', from: null, to: '1', origins: [] },
      ],
      removes: [{ manager: 'apt', name: 'exim4', arch: 'amd64', version: '4.0' }],
    };
    const mismatch = installMismatch(both, simulation).join('\n');
    assert.match(
      mismatch,
      /curl:amd64 7\.1 would not be installed\nlibx:amd64.*newly installed.*\nexim4:amd64.*removed/,
    );
  });
});

describe('a plan', () => {
  const plan = { expiresMs: 1_000, hosts: [aHostPlan({ host: 'a' }), aHostPlan({ host: 'b' })] };
  const same = new Map([
    ['a', 'a'.repeat(64)],
    ['b', 'a'.repeat(64)],
    ['unrelated', 'c'.repeat(64)],
  ]);

  test('may be applied before it expires while its hosts stay as they were', () => {
    assert.equal(planRefusal(plan, 999, same), undefined);
  });

  for (const [title, nowMs, inventory, message] of [
    ['that expired', 1_000, same, /expired at 1970-01-01T00:00:01/],
    ['whose host left the inventory', 0, new Map([['a', 'a'.repeat(64)]]), /does not have: b/],
    ['whose host has other variables now', 0, new Map([...same, ['b', 'd'.repeat(64)]]), /changed .* for b$/],
  ] as const) {
    test(`${title} is refused with exit 10`, () => {
      const refusal = planRefusal(plan, nowMs, inventory);
      assert.equal(refusal?.code, 'approval');
      assert.match(refusal.message, message);
      assert.match(refusal.hint ?? '', /fettle plan/);
    });
  }
});
