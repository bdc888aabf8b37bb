import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdmissionControl, effectiveWaves } from '../../src/domain/admission.ts';
import type { Admission, AdmissionHost, AdmissionRules } from '../../src/domain/admission.ts';
import type { Outcome } from '../../src/domain/outcome.ts';

const counts = ['failed', 'unreachable', 'unverified', 'drifted'] as const;
const failed: Outcome = { verdict: 'failed', change: 'none', reason: '' };
const verified: Outcome = { verdict: 'verified', change: 'installed', reason: '' };

function host(name: string, more: Partial<AdmissionHost> = {}): AdmissionHost {
  return { host: name, wave: 0, phase: 'waiting', clusters: [], after: [], isController: false, ...more };
}

function done(name: string, outcome = verified, more: Partial<AdmissionHost> = {}): AdmissionHost {
  return host(name, { ...more, phase: 'done', outcome });
}

interface AdmissionState extends AdmissionRules {
  readonly hosts: readonly AdmissionHost[];
  readonly isStopping: boolean;
}

function admit({ hosts, isStopping, ...rules }: AdmissionState): Admission & { reboot: readonly string[] } {
  const control = new AdmissionControl(rules, hosts);
  return { ...control.decide(isStopping), reboot: control.reboots() };
}

function state(hosts: readonly AdmissionHost[], more: Partial<AdmissionState> = {}): AdmissionState {
  const wave = { name: 'w', concurrency: 10, budget: { max: 10, counts } };
  return {
    hosts,
    waves: [wave, wave, wave],
    concurrency: 3,
    budget: { max: 10, counts },
    isStopping: false,
    ...more,
  };
}

test('hosts slide through the smaller of the run and the wave concurrency, in order', () => {
  const hosts = [host('a', { phase: 'running' }), host('b'), host('c'), host('d')];
  assert.deepEqual(admit(state(hosts)).start, ['b', 'c']);
  const narrow = [{ name: 'w', concurrency: 2, budget: { max: 1, counts } }];
  assert.deepEqual(admit(state(hosts, { waves: narrow })).start, ['b']);
});

test('of one update server only so many hosts go at once, and those of others do not wait for them', () => {
  const source = 'http://wsus:8530';
  const hosts = [
    host('a', { source, phase: 'rebooting' }),
    host('b', { source }),
    host('c', { source }),
    host('d', { source: 'other' }),
    host('e'),
  ];
  assert.deepEqual(admit(state(hosts, { concurrency: 9 })).start, ['b', 'c', 'd', 'e']);
  assert.deepEqual(admit(state(hosts, { concurrency: 9, perSource: 1 })).start, ['d', 'e']);
  assert.deepEqual(admit(state(hosts, { concurrency: 9, perSource: 2 })).start, ['b', 'd', 'e']);
});

test('a wave starts only when every host of the one before is over', () => {
  const second = host('b', { wave: 1 });
  assert.deepEqual(admit(state([host('a', { phase: 'running' }), second])).start, []);
  assert.deepEqual(admit(state([done('a'), second])).start, ['b']);
  assert.equal(admit(state([done('a'), second])).wave, 1);
  assert.equal(admit(state([done('a'), done('b', verified, { wave: 1 })])).status, 'finished');
});

test('a spent budget starts nothing more and waits for the hosts in flight', () => {
  const budget = { max: 1, counts };
  const over = [done('a', failed), done('b', failed)];
  const running = admit(state([...over, host('c', { phase: 'running' }), host('d')], { budget }));
  assert.deepEqual([running.status, running.start, running.spent?.scope], ['running', [], 'run']);
  assert.equal(admit(state([...over, host('d')], { budget })).status, 'stopped');
  assert.deepEqual(admit(state([done('a', failed), host('d')], { budget })).start, ['d']);
});

test('the budget of a wave stops the run although the budget of the run would bear it', () => {
  const waves = [
    { name: 'canary', concurrency: 1, budget: { max: 0, counts } },
    { name: 'rest', concurrency: 1, budget: { max: 5, counts } },
  ];
  const admission = admit(state([done('a', failed), host('b', { wave: 1 })], { waves }));
  assert.deepEqual([admission.status, admission.spent?.scope, admission.spent?.name], ['stopped', 'wave', 'canary']);
});

test("the run's budget does not become a wave's: a share of a small wave would bear nothing", () => {
  const budget = { max: 3, percent: 5, counts };
  const waves = [
    { name: 'canary', concurrency: 1, budget: { max: 0, counts } },
    { name: 'quarter', concurrency: 9 },
    { name: 'rest', concurrency: 9 },
  ];
  const quarter = Array.from({ length: 10 }, (_, index) => host(`q${index}`, { wave: 1 }));
  const rest = Array.from({ length: 29 }, (_, index) => host(`r${index}`, { wave: 2 }));
  const bad = (count: number): readonly AdmissionHost[] =>
    quarter.map((item, index) => (index < count ? { ...item, phase: 'done', outcome: failed } : item));
  const after = (count: number) => admit(state([done('c'), ...bad(count), ...rest], { budget, waves }));
  assert.deepEqual([after(1).status, after(1).budget.allowed], ['running', 2]);
  assert.ok(after(2).start.length > 0);
  assert.deepEqual([after(3).status, after(3).spent?.scope], ['stopped', 'run']);
});

test('members of one cluster never go together, and others pass them', () => {
  const hosts = [host('a', { clusters: ['db'] }), host('b', { clusters: ['db', 'x'] }), host('c'), host('d')];
  assert.deepEqual(admit(state(hosts)).start, ['a', 'c', 'd']);
  const busy = [host('a', { clusters: ['db'], phase: 'rebooting' }), host('b', { clusters: ['db'] })];
  assert.deepEqual(admit(state(busy)).start, []);
});

test('a jump host waits for the hosts behind it, and the controller for all', () => {
  const jump = host('jump', { after: ['web'] });
  const own = host('own', { isController: true });
  assert.deepEqual(admit(state([own, jump, host('web')])).start, ['web']);
  assert.deepEqual(admit(state([own, jump, done('web')])).start, ['jump']);
  assert.deepEqual(admit(state([own, done('jump'), done('web')])).start, ['own']);
});

test('hosts that stand behind each other do not wait for ever', () => {
  const hosts = [host('a', { after: ['b'] }), host('b', { after: ['a'] })];
  assert.deepEqual(admit(state(hosts)).start, ['a']);
});

test('reboots have slots of their own, and get them on a spent budget too', () => {
  const hosts = [
    host('a', { phase: 'rebooting' }),
    host('b', { phase: 'wants-reboot' }),
    host('c', { phase: 'wants-reboot' }),
    done('d', failed),
  ];
  const budget = { max: 0, counts };
  assert.deepEqual(admit(state(hosts, { rebootConcurrency: 2, budget })).reboot, ['b']);
  assert.deepEqual(admit(state(hosts)).reboot, ['b', 'c']);
});

test('when asked to stop nothing starts, and it is over when nothing is in flight', () => {
  assert.equal(admit(state([host('a', { phase: 'running' }), host('b')], { isStopping: true })).status, 'running');
  assert.equal(admit(state([done('a'), host('b')], { isStopping: true })).status, 'stopped');
  assert.equal(admit(state([done('a')], { isStopping: true })).status, 'finished');
});

test('a jump host moves to the last wave of those behind it and the controller to the last of all', () => {
  const waves = effectiveWaves([
    { host: 'jump', wave: 0, after: ['inner'], isController: false },
    { host: 'inner', wave: 0, after: ['web'], isController: false },
    { host: 'web', wave: 1, after: [], isController: false },
    { host: 'own', wave: 0, after: [], isController: true },
    { host: 'late', wave: 2, after: [], isController: false },
  ]);
  assert.deepEqual([...waves.values()], [1, 1, 1, 2, 2]);
});

test('whatever the order of results, every rollout ends and admits each host once', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    let random = seed;
    const next = (below: number): number => (random = (random * 48271) % 2147483647) % below;
    let hosts = Array.from({ length: 12 }, (_, index) =>
      host(`h${index}`, {
        wave: next(3),
        clusters: next(3) === 0 ? [`c${next(2)}`] : [],
        after: next(4) === 0 ? [`h${next(12)}`] : [],
        isController: index === 11,
      }),
    );
    const started: string[] = [];
    for (let round = 0; ; round += 1) {
      assert.ok(round < 200, `seed ${seed} does not end`);
      const admission = admit(state(hosts));
      if (admission.status !== 'running') break;
      started.push(...admission.start);
      hosts = hosts.map((item) =>
        admission.start.includes(item.host) ? { ...item, phase: 'running' as const } : item,
      );
      const running = hosts.filter((item) => item.phase === 'running');
      assert.ok(running.length <= 3);
      const ends = running[next(running.length)];
      hosts = hosts.map((item) => (item === ends ? done(item.host, verified, item) : item));
      hosts = hosts.map((item) => (item.outcome === undefined ? item : { ...item, phase: 'done' as const }));
    }
    assert.equal(new Set(started).size, 12, `seed ${seed}`);
    assert.equal(started.length, 12, `seed ${seed}`);
  }
});

/** The rule as it reads, by going through every host: what the counting must come to. */
function byLooking({ hosts, waves, concurrency, perSource = Infinity }: AdmissionState): string[] {
  const open = hosts.filter((item) => item.phase !== 'done');
  const wave = Math.min(...open.map((item) => item.wave));
  const flying = open.filter((item) => item.phase !== 'waiting');
  const limit = waves[wave]?.concurrency ?? concurrency;
  let room = Math.min(concurrency - flying.length, limit - flying.filter((item) => item.wave === wave).length);
  const busy = new Set(flying.flatMap((item) => item.clusters));
  const load = (source: string | undefined): number => taken.filter((item) => item.source === source).length;
  const taken = [...flying];
  const isOver = (name: string): boolean => !open.some((item) => item.host === name);
  const waiting = open.filter((item) => item.wave === wave && item.phase === 'waiting');
  const picked: string[] = [];
  for (const item of waiting) {
    if (room <= 0) break;
    const mustWait = item.isController
      ? open.length > 1
      : item.after.some((name) => name !== item.host && !isOver(name));
    if (mustWait || item.clusters.some((cluster) => busy.has(cluster))) continue;
    if (item.source !== undefined && load(item.source) >= perSource) continue;
    taken.push(item);
    for (const cluster of item.clusters) busy.add(cluster);
    picked.push(item.host);
    room -= 1;
  }
  const [first] = waiting;
  return picked.length === 0 && flying.length === 0 && first !== undefined ? [first.host] : picked;
}

test('counting what changed admits the same hosts as going through all of them, whatever happens in whatever order', () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    let random = seed * 7919;
    const next = (below: number): number => (random = (random * 48271) % 2147483647) % below;
    const source = (): { source?: string } => (next(3) === 0 ? {} : { source: `s${next(2)}` });
    let hosts = Array.from({ length: 24 }, (_, index) =>
      host(`h${index}`, {
        wave: next(3),
        clusters: Array.from({ length: next(3) }, () => `c${next(4)}`),
        after: next(5) === 0 ? [`h${next(24)}`, `h${next(24)}`] : [],
        isController: index === 20,
        ...source(),
      }),
    );
    const rules = state(hosts, { concurrency: 1 + next(6), perSource: 1 + next(3) });
    const control = new AdmissionControl(rules, hosts);
    for (let step = 0; hosts.some((item) => item.phase !== 'done'); step += 1) {
      assert.ok(step < 500, `seed ${seed} does not end`);
      const { start } = control.decide(false);
      assert.deepEqual(start, byLooking({ ...rules, hosts }), `seed ${seed}, step ${step}`);
      assert.deepEqual(control.decide(false).start, start, 'to decide changes nothing');
      const begun = start.filter(() => next(4) > 0);
      for (const name of begun) control.change(name, 'running');
      hosts = hosts.map((item) => (begun.includes(item.host) ? { ...item, phase: 'running' as const } : item));
      const running = hosts.filter((item) => item.phase === 'running');
      const ends = running[next(Math.max(1, running.length))];
      if (ends !== undefined) control.change(ends.host, 'done', verified);
      hosts = hosts.map((item) => (item === ends ? done(item.host, verified, item) : item));
      hosts = hosts.map((item) => (item.outcome === undefined ? item : { ...item, phase: 'done' as const }));
    }
  }
});

test('a fleet of twenty thousand hosts of one update server, in clusters, behind jump hosts, is admitted in its time', () => {
  const size = 20_000;
  const hosts = Array.from({ length: size }, (_, index) =>
    host(`h${index}`, {
      source: 'wsus',
      clusters: index % 2 === 0 ? [`pair${Math.floor(index / 4)}`] : [],
      after: index % 1_000 === 0 ? Array.from({ length: 999 }, (__, other) => `h${index + other + 1}`) : [],
      isController: index === 5,
    }),
  );
  const control = new AdmissionControl(state(hosts, { concurrency: 20, perSource: 5 }), hosts);
  const running: string[] = [];
  let ended = 0;
  for (;;) {
    const { start, status } = control.decide(false);
    for (const name of start) {
      control.change(name, 'running');
      running.push(name);
    }
    if (status !== 'running') break;
    const name = running.shift();
    assert.ok(name !== undefined);
    control.change(name, 'done', verified);
    ended += 1;
  }
  assert.equal(ended, size);
});
