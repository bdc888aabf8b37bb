import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextSteps } from '../../../src/report/run/next-steps.ts';
import {
  groupHosts,
  otherHosts,
  renderSummary,
  type Summary,
  type SummaryHost,
} from '../../../src/report/run/summary.ts';
import { fakeOutput } from '../fake-output.ts';

function host(name: string, standing: SummaryHost['standing'], reason?: string): SummaryHost {
  return { host: name, standing, change: 'none', ...(reason === undefined ? {} : { reason }) };
}

function summary(hosts: readonly SummaryHost[], more: Partial<Summary> = {}): Summary {
  return { run: '01JRUN', kind: 'apply', hosts, reasons: [], warnings: [], ...more };
}

test('the worst comes first, lost before all, verified last', () => {
  const standings = ['verified', 'skipped', 'unreachable', 'lost', 'drifted', 'failed', 'pending-reboot'] as const;
  const groups = groupHosts(standings.map((standing, index) => host(`web${index}`, standing, 'x')));
  assert.deepEqual(
    groups.map((group) => group.example.standing),
    ['lost', 'failed', 'drifted', 'unreachable', 'pending-reboot', 'skipped', 'verified'],
  );
});

test('hosts with the same first line are one group though each names itself', () => {
  const hosts = ['web01', 'web02', 'web10'].map((name) =>
    host(name, 'unreachable', `${name} does not answer\ntry ${name}`),
  );
  const { output } = fakeOutput();
  const text = renderSummary(summary([...hosts, host('db', 'unreachable', 'db refuses the key')]), output.stderr);
  assert.match(text, /^unreachable {6}web\[01-02,10\] \(3\)\n {17}HOST does not answer/m);
  assert.match(text, /db \(1\)\n {17}db refuses the key/);
});

test('hosts with the same failure are one group though each is named by its address', () => {
  const hosts = ['web01', 'web02', 'mail'].map((name, index): SummaryHost => {
    const address = ['192.0.2.7', '192.0.2.8', 'mx.example.org'][index] ?? '';
    return { ...host(name, 'unreachable', `${address} port 22 refuses the connection`), address };
  });
  const { output } = fakeOutput();
  const text = renderSummary(summary(hosts), output.stderr);
  assert.match(text, /^unreachable {6}mail,web\[01-02\] \(3\)\n {17}HOST port 22 refuses the connection/m);
  const [one] = hosts;
  assert.ok(one !== undefined);
  assert.match(renderSummary(summary([one]), output.stderr), /192\.0\.2\.7 port 22 refuses/);
});

test('hosts of the plan that the run did not touch have standings of their own and ask for no resume', () => {
  const { output } = fakeOutput();
  const others = otherHosts({
    idle: ['db1', 'db2'],
    absent: [
      { host: 'off1', kind: 'unreachable', reason: 'off1 does not answer' },
      { host: 'cold', kind: 'disabled', reason: 'switched off by patch_enabled' },
    ],
  });
  const text = renderSummary(summary([host('a', 'verified'), ...others]), output.stderr);
  assert.match(text, /^nothing to do {4}db\[1-2\] \(2\)$/m);
  assert.match(text, /^absent {11}off1 \(1\)\n +unreachable when the plan was made: off1 does not answer$/m);
  assert.match(text, /^skipped {10}cold \(1\)\n +switched off by patch_enabled$/m);
  assert.match(text, /5 hosts: 1 absent, 1 skipped, 1 verified, 2 nothing to do/);
  assert.doesNotMatch(text, /run resume|not started/);
});

test('a name inside another word is no mention of the host', () => {
  const [group] = groupHosts([host('db', 'failed', 'dbus failed on db.'), host('a', 'failed', 'dbus failed on a.')]);
  assert.deepEqual(group?.hosts, ['a', 'db']);
});

test('commands are exact, fit the verdict, and quote what a shell would read', () => {
  const of = { run: '01J', kind: 'apply' } as const;
  assert.deepEqual(nextSteps({ ...of, standing: 'lost', hosts: ['web01'] }), [
    'fettle run resume 01J',
    'fettle run logs web01 --run 01J',
  ]);
  assert.deepEqual(nextSteps({ ...of, standing: 'pending-reboot', hosts: ['web01', 'web02'] }), [
    'fettle reboot web01,web02',
  ]);
  assert.deepEqual(
    nextSteps({ ...of, standing: 'unreachable', hosts: ['a; rm -rf /'] })[0],
    "fettle ping 'a; rm -rf /'",
  );
  assert.deepEqual(nextSteps({ run: '01J', kind: 'scan', standing: 'failed', hosts: ['web01'] }), []);
});

test('the closing line has counts, the time, the exit by name and the run', () => {
  const { output } = fakeOutput();
  const hosts = [host('a', 'verified'), host('b', 'verified'), host('c', 'failed', 'x')];
  const text = renderSummary(
    summary(hosts, { durationMs: 192_000, exit: { code: 4, name: 'partial' } }),
    output.stderr,
  );
  assert.equal(
    text.trimEnd().split('\n').at(-1),
    'apply: 3 hosts: 1 failed, 2 verified in 3m12s; exit 4 (partial); run 01JRUN',
  );
});

test('the same warning of many hosts is one line, printed once', () => {
  const warnings = ['web01', 'web02', 'web02'].map((name) => ({ host: name, message: `${name} has a full /boot` }));
  const { output } = fakeOutput();
  const text = renderSummary(summary([], { warnings: [...warnings, { message: 'cloned machine id' }] }), output.stderr);
  assert.deepEqual(text.match(/^warning.*$/gm), [
    'warning  web[01-02] (2): HOST has a full /boot',
    'warning  cloned machine id',
  ]);
});
