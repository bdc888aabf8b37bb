// Golden after a meant change: FETTLE_WRITE_GOLDEN=1.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Plan } from '../../../src/domain/plan.ts';
import { renderPlan } from '../../../src/report/tables/plan.ts';
import { widthOf } from '../../../src/report/text/width.ts';
import { fakeOutput, nasty, steering } from '../fake-output.ts';
import { hostPlan, samplePlan, update } from '../plan-fixture.ts';

const sha256 = 'ef'.repeat(32);

function draw(plan: Plan, { isTty = false, columns = 80, colour = false } = {}): string {
  return renderPlan({ plan, sha256, path: 'plan.json' }, fakeOutput({ isTty, columns, colour }).output);
}

function compare(name: string, shown: string): void {
  const file = join(import.meta.dirname, '../golden', `${name}.txt`);
  if (process.env['FETTLE_WRITE_GOLDEN'] === '1') writeFileSync(file, shown);
  assert.equal(shown, readFileSync(file, 'utf8'));
}

test('a plan is shown as people sign it, whole in a pipe and wrapped on a terminal', () => {
  compare('plan', draw(samplePlan));
  compare('plan-80', draw(samplePlan, { isTty: true }));
});

test('hosts with equal work are one block though their waves differ', () => {
  assert.match(
    draw(samplePlan),
    /^web\[01-09\] \(9\)\n {2}Debian GNU\/Linux 12 · waves 1, 2 · 3 updates · 6\.2 MB to download each$/m,
  );
});

test('whatever happens is in it: every hash, version, removal, hook and absence', () => {
  const text = draw(samplePlan);
  for (const word of [sha256, 'ab'.repeat(32), 'cd'.repeat(32), 'all:!canary', 'lb drain {{host}}', 'mysql-*']) {
    assert.ok(text.includes(word), word);
  }
  for (const { updates, removals, leftOut } of samplePlan.hosts) {
    for (const { name, from, to } of updates)
      assert.ok(text.includes(name) && text.includes(to) && text.includes(from ?? ''), name);
    for (const { name } of [...removals, ...leftOut]) assert.ok(text.includes(name), name);
  }
  for (const { host } of samplePlan.absent.filter((absence) => absence.host === 'old')) assert.ok(text.includes(host));
  assert.match(text, /untried/);
  assert.match(text, /reboot expected: linux-image-amd64 is a kernel/);
});

test('an unknown security state is shown, also of a host with nothing to do', () => {
  assert.match(draw(samplePlan), /security: unknown on cache2/);
});

test('a plan with nothing to do is labelled so and offers no apply', () => {
  const text = draw({ ...samplePlan, waves: [], hosts: [hostPlan('a', { wave: -1 })], absent: [], warnings: [] });
  assert.match(text, /^Nothing to do on 1 host$/m);
  assert.doesNotMatch(text, /fettle apply|Waves/);
});

test('a host whose lists were never fetched, are old or lack something is not listed as having nothing to do', () => {
  const plan = { ...samplePlan, waves: [], absent: [], warnings: [] };
  const old = hostPlan('a', { wave: -1, metadataFetchedMs: samplePlan.createdMs - samplePlan.install.maxAgeMs - 1 });
  const { metadataFetchedMs: _, ...never } = hostPlan('b', { wave: -1 });
  for (const host of [old, never, hostPlan('c', { wave: -1, gaps: ['a list failed'] })]) {
    const text = draw({ ...plan, hosts: [host] });
    assert.match(text, /^No update known on 1 host, some may be missing$/m);
    assert.doesNotMatch(text, /Nothing to do/);
  }
  assert.match(
    draw({ ...plan, hosts: [old, hostPlan('d', { wave: -1 })] }),
    /^Nothing to do on 1 host; no update known on 1 host, some may be missing$/m,
  );
});

test('an expired plan is marked', () => {
  assert.match(draw({ ...samplePlan, expiresMs: Date.UTC(2026, 10, 23, 17, 0) }), /expires .*\(expired 2h ago\)/);
});

test('an update of Windows is listed by its number, its revision and its title', () => {
  const arch = '282bcc74-2e79-44f6-a859-dde01c4d2c20';
  const title = '2026-09 Cumulative Update for Microsoft server operating system';
  const own = { arch, from: '', to: '201', title };
  const defender = { ...update('KB2267602', { ...own, title: 'Security Intelligence Update' }), from: '' };
  const host = hostPlan('win01', {
    updates: [update('KB5065432', { ...own, untried: true })],
    leftOut: [{ ...defender, reason: 'definitions renew themselves' }],
  });
  const text = draw({ ...samplePlan, hosts: [host] });
  assert.match(text, /^ {4}KB5065432 {2}revision 201 {2}untried\n {6}2026-09 Cumulative Update for Microsoft server/m);
  assert.match(text, /: definitions renew themselves\n {4}KB2267602 revision 201\n {6}Security Intelligence Update$/m);
  assert.doesNotMatch(text, /282bcc74/);
});

test('no line is wider than the terminal, and no version is cut', () => {
  const long = update('a-package-with-quite-a-long-name', { to: `1:${'2.'.repeat(60)}` });
  const plan = { ...samplePlan, hosts: [hostPlan('web01', { updates: [long] })] };
  for (const columns of [40, 60, 80]) {
    const text = draw(plan, { isTty: true, columns });
    for (const line of text.split('\n')) assert.ok(widthOf(line) <= columns, `${columns}: ${line}`);
    assert.ok(text.replace(/\s+/g, '').includes(long.to), String(columns));
  }
});

test('nothing from hosts, playbooks or packages steers the terminal', () => {
  const bad = { ...update(nasty), reason: nasty, from: nasty, to: nasty };
  const hosts = [hostPlan('web01', { updates: [bad], osName: nasty, leftOut: [{ ...bad, from: nasty }] })];
  const absent = [{ host: nasty, hostId: 'x', kind: 'failed', reason: nasty } as const];
  const text = draw({ ...samplePlan, select: nasty, hosts, absent, warnings: [nasty] }, { isTty: true });
  assert.deepEqual(steering(text), []);
});

test('colour appears only where it is on', () => {
  assert.deepEqual(steering(draw(samplePlan)), []);
  assert.match(draw(samplePlan, { isTty: true, colour: true }), /\x1b\[1m/);
});
