import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { jsonList } from '../../../src/report/text/json.ts';
import { scanPhrase, scanRow, sharedRows } from '../../../src/report/tables/scan-row.ts';
import { pingRow, renderPing, renderScan, scanJson } from '../../../src/report/tables/scan.ts';
import { fakeOutput, nasty, steering } from '../fake-output.ts';
import { hostScan, pending } from '../scan-fixture.ts';

const host = { name: 'web01' };
const refused = new FettleError('auth', 'web02 refused the key', { hint: 'check patch_user' });

const busy = hostScan({
  updates: [
    pending('openssl', { class: 'security' }),
    pending('vim'),
    pending('nginx', { heldBack: { kind: 'held' } }),
    pending('curl', { class: 'security', heldBack: { kind: 'phased', percent: 30 } }),
  ],
  reboot: { needed: 'yes', reasons: ['kernel'], runningKernel: 'a' },
  problems: [{ code: 'x', message: nasty }],
});

test('a scan shows security, other, held back, age, reboot and problems of each host', () => {
  const { output } = fakeOutput({ isTty: true, columns: 110 });
  const text = renderScan(
    [scanRow({ host, scan: busy }), scanRow({ host: { name: 'web02' }, error: refused })],
    output,
  );
  const [head, first, second] = text.split('\n');
  assert.match(head ?? '', /^HOST +SYSTEM +SECURITY +OTHER +HELD +METADATA +REBOOT +REMARKS$/);
  assert.match(first ?? '', /^web01 +Debian GNU\/Linux 12 +1 +1 +2 +3h ago +yes +red fake/);
  assert.match(text, /auth: web02 refused/);
  assert.match(second ?? '', /./);
  assert.deepEqual(steering(text), []);
});

test('unknown security is never a zero, in no form', () => {
  const row = scanRow({ host, scan: hostScan({ securityKnown: false }) });
  assert.match(renderScan([row], fakeOutput().output), /^web01\tDebian GNU\/Linux 12\tunknown\t0/);
  const { hosts } = jsonList(scanJson, [row], 'security,securityKnown') as { hosts: unknown };
  assert.deepEqual(hosts, [{ security: null, securityKnown: false }]);
  assert.equal(scanPhrase(hostScan({ securityKnown: false })), 'unknown security, 0 other');
});

test('stale metadata is shown', () => {
  const stale = hostScan({
    metadata: { repositories: [{ manager: 'apt', name: 'main', problem: 'gone' }], isStale: true },
  });
  const { output } = fakeOutput({ isTty: true, columns: 120 });
  assert.match(renderScan([scanRow({ host, scan: stale })], output), /never fetched, stale +no +main: gone/);
  assert.match(scanPhrase(stale), /package metadata is stale/);
});

test('a ping shows the login user, how long it took, what prevents work, and the failure by its code', () => {
  const plain = hostScan();
  const collectedMs = Date.UTC(2026, 10, 1, 12);
  const bootedAnHourAgo = { ...plain, collectedMs, facts: { ...plain.facts, uptimeSec: 3_600 } };
  const rows = [
    pingRow({ host, summary: bootedAnHourAgo, tookMs: 42, warnings: [] }),
    pingRow({ host: { name: 'web03' }, summary: hostScan(), tookMs: 7, warnings: ['/boot is nearly full'] }),
    pingRow({ host: { name: 'web02' }, error: refused }),
  ];
  assert.equal(
    renderPing(rows, fakeOutput().output),
    'web01\tok\t42\troot\tDebian GNU/Linux 12\t2026-11-01T11:00:00.000Z\t3600\t\n' +
      'web03\twarning\t7\troot\tDebian GNU/Linux 12\t\t\t/boot is nearly full\n' +
      'web02\tauth\t\t\t\t\t\tweb02 refused the key; hint: check patch_user\n',
  );
});

test('rows of a fleet equal rows made one by one, and share the updates that hosts have in common', () => {
  const rowOf = sharedRows();
  const one = { host, scan: busy };
  const other = { host: { name: 'web02' }, scan: busy };
  const failed = { host: { name: 'web03' }, error: { code: 'connect', message: 'it is off' } };
  const rows = [one, other, failed].map(rowOf);
  assert.deepEqual(rows, [one, other, failed].map(scanRow));
  const [first, second] = rows.map((row) => (row.state === 'scanned' ? row.updates[0] : undefined));
  assert.ok(first !== undefined);
  assert.equal(first, second);
});
