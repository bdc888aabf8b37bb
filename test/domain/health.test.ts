import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { VerdictInput, VerifyInput } from '../../src/domain/health.ts';
import { judgeVerify, verdictOf } from '../../src/domain/health.ts';
import type { UpdateResult } from '../../src/domain/outcome.ts';
import type { Health, HostScan, RebootState } from '../../src/domain/scan.ts';
import { aHostPlan, anUpdate, aPackage, aPlanned, aScan, verifySettings } from './fixtures.ts';

const plan = aHostPlan({ updates: [aPlanned()] });
const installed: UpdateResult = {
  manager: 'apt',
  name: 'nginx',
  arch: 'amd64',
  from: '1.0',
  to: '1.1',
  now: '1.1',
  state: 'installed',
};
const before = aScan();
const patched = { packages: [aPackage({ version: '1.1' })] };
const quiet: Health = before.health;

function after(over: Partial<HostScan> = {}): HostScan {
  return aScan({ ...patched, ...over });
}

function withHealth(health: Partial<Health>): Partial<HostScan> {
  return { health: { ...quiet, ...health } };
}

interface Case {
  readonly title: string;
  readonly was?: Partial<HostScan>;
  readonly is?: Partial<HostScan>;
  readonly over?: Partial<VerifyInput>;
  /** `level check: message` of each finding. */
  readonly found: readonly RegExp[];
}

const ignoring = (...ignore: string[]): Partial<VerifyInput> => ({ settings: { ...verifySettings, ignore } });

const curl = { manager: 'apt', name: 'curl', arch: 'amd64' };

const cases: readonly Case[] = [
  {
    title: 'an update that the plan left out is not newly on offer, though the scan before did not search for updates',
    was: { isStateOnly: true, updates: [] },
    is: { updates: [anUpdate({ ...curl })] },
    over: { plan: { ...plan, leftOut: [{ ...anUpdate({ ...curl }), reason: 'excluded' }] } },
    found: [],
  },
  {
    title: 'an update that nobody knew is newly on offer',
    was: { isStateOnly: true, updates: [] },
    is: { updates: [anUpdate({ ...curl })] },
    found: [/^warn newly-offered: newly on offer: curl/],
  },
  { title: 'a host at its planned versions has no findings', found: [] },
  {
    title: 'a package that is not at its planned version',
    is: { packages: [aPackage()] },
    found: [/^fail plan: nginx:amd64 is at 1\.0, planned 1\.1$/],
  },
  {
    title: 'a package skipped on purpose is only noted',
    is: { packages: [aPackage()] },
    over: { skipped: ['apt/nginx:amd64'] },
    found: [/^warn plan: nginx:amd64 is at 1\.0/],
  },
  {
    title: 'a superseded package stands at its successor',
    is: { packages: [aPackage({ version: '1.2' })] },
    over: { results: [{ ...installed, now: '1.2', state: 'superseded' }] },
    found: [],
  },
  {
    title: 'a removal that did not happen',
    over: { plan: { ...plan, removals: [{ manager: 'apt', name: 'nginx', arch: 'amd64', version: '1.0' }] } },
    found: [/^fail plan: nginx:amd64 is still there/],
  },
  {
    title: 'a package that changed outside the plan',
    was: { packages: [aPackage(), aPackage({ name: 'curl', version: '7.0' })] },
    is: { packages: [aPackage({ version: '1.1' }), aPackage({ name: 'curl', version: '7.1' })] },
    found: [/^fail unplanned: curl:amd64 changed from 7\.0 to 7\.1 outside the plan$/],
  },
  {
    title: 'a package that vanished',
    was: { packages: [aPackage(), aPackage({ name: 'curl', version: '7.0' })] },
    found: [/^fail unplanned: curl:amd64 changed from 7\.0 to not installed/],
  },
  {
    title: 'a package that came by itself',
    is: { packages: [...patched.packages, aPackage({ name: 'libx', version: '1' })] },
    found: [/^fail unplanned: libx:amd64 changed from not installed to 1/],
  },
  {
    title: 'a package the run broke',
    is: { broken: [aPackage({ version: '1.1', state: 'broken', stateDetail: 'iF' })] },
    found: [/^fail broken-package: nginx:amd64 1\.1 is not properly installed \(iF\)$/],
  },
  {
    title: 'a package that was broken before is noted',
    was: { broken: [aPackage({ name: 'exim4', state: 'broken', stateDetail: 'iF' })] },
    is: { broken: [aPackage({ name: 'exim4', state: 'broken', stateDetail: 'iF' })] },
    found: [/^warn broken-package: exim4/],
  },
  {
    title: 'an old kernel after a reboot',
    is: { reboot: { ...before.reboot, installedKernel: '6.1.0-31-amd64' } },
    over: { wasRebooted: true },
    found: [/^fail kernel: .* runs kernel 6\.1\.0-30-amd64, installed is 6\.1\.0-31-amd64$/],
  },
  {
    title: 'an old kernel without a reboot is the verdict, not a finding',
    is: { reboot: { ...before.reboot, installedKernel: '6.1.0-31-amd64' } },
    found: [],
  },
  {
    title: 'a unit that failed newly, not one that had failed before',
    was: withHealth({ failedUnits: ['old.service'] }),
    is: withHealth({ failedUnits: ['old.service', 'nginx.service'] }),
    found: [/^fail failed-unit: nginx\.service failed; it had not before$/],
  },
  {
    title: 'a failed unit of the ignore list',
    is: withHealth({ failedUnits: ['nginx.service'] }),
    over: ignoring('ngin*.service'),
    found: [],
  },
  {
    title: 'failed units may be warnings',
    is: withHealth({ failedUnits: ['nginx.service'] }),
    over: { settings: { ...verifySettings, failedUnits: 'warn' } },
    found: [/^warn failed-unit/],
  },
  {
    title: 'a service that ran before and ended quietly',
    was: withHealth({ activeServices: ['worker.service', 'user@0.service', 'systemd-hostnamed.service'] }),
    found: [/^fail service: worker\.service ran before and does not run now$/],
  },
  {
    title: 'a service that failed is reported once',
    was: withHealth({ activeServices: ['worker.service'] }),
    is: withHealth({ failedUnits: ['worker.service'] }),
    found: [/^fail failed-unit: worker\.service/],
  },
  {
    title: 'a lost listener below the ephemeral range, whatever its process is called now',
    was: withHealth({ listeners: ['tcp 0.0.0.0:80 nginx', 'tcp 0.0.0.0:22 sshd', 'tcp [::]:41233 rpc'] }),
    is: withHealth({ listeners: ['tcp 0.0.0.0:22 systemd'] }),
    found: [/^fail listener: nothing listens on tcp 0\.0\.0\.0:80 nginx any more$/],
  },
  {
    title: 'a lost listener of the ignore list, by port, process or address',
    was: withHealth({ listeners: ['tcp 0.0.0.0:80 nginx', 'udp 10.0.0.1:68 dhclient', 'tcp 127.0.0.1:25 exim4'] }),
    over: ignoring('80', 'dhclient', 'tcp 127.0.0.1:*'),
    found: [],
  },
  {
    title: 'a lost listener of a person as a note, whatever the settings are',
    was: withHealth({
      listeners: ['tcp 0.0.0.0:80 nginx', 'tcp 0.0.0.0:8080 nginx'],
      personalListeners: ['tcp 0.0.0.0:8080 nginx'],
    }),
    found: [/^fail listener: .*:80 nginx/, /^warn listener: .*:8080 nginx/],
  },
  {
    title: 'a manager of personal services that failed as a note',
    is: withHealth({ failedUnits: ['user@1001.service', 'nginx.service'] }),
    found: [/^warn failed-unit: user@1001/, /^fail failed-unit: nginx/],
  },
  {
    title: 'stale processes of a person as notes, whatever the settings are',
    is: withHealth({
      staleProcesses: [
        { pid: 9, name: 'nginx', unit: 'cron.service', isPersonal: true },
        { pid: 8, name: 'sshd', unit: 'ssh.service' },
      ],
    }),
    over: { settings: { ...verifySettings, staleProcesses: 'fail' } },
    found: [/^fail stale-process: ssh\.service/, /^warn stale-process: nginx, which a user runs/],
  },
  {
    title: 'listeners may be ignored',
    was: withHealth({ listeners: ['tcp 0.0.0.0:80 nginx'] }),
    over: { settings: { ...verifySettings, listeners: 'ignore' } },
    found: [],
  },
  {
    title: 'stale processes are reported once for each unit',
    is: withHealth({
      staleProcesses: [
        { pid: 1, name: 'nginx', unit: 'nginx.service' },
        { pid: 2, name: 'nginx', unit: 'nginx.service' },
        { pid: 3, name: 'bash' },
      ],
    }),
    found: [/^warn stale-process: nginx\.service still runs/, /^warn stale-process: bash still runs/],
  },
  {
    title: 'stale processes that could not be searched for',
    is: withHealth({ staleKnown: false }),
    found: [/^warn stale-process: .* unknown$/],
  },
  {
    title: 'a new conffile left-over',
    was: { conffileLeftovers: ['/etc/a.dpkg-dist'] },
    is: { conffileLeftovers: ['/etc/a.dpkg-dist', '/etc/b.dpkg-dist'] },
    found: [/^warn conffile: \/etc\/b\.dpkg-dist is new/],
  },
];

describe('verify finds', () => {
  for (const { title, was, is, over, found } of cases) {
    test(title, () => {
      const findings = judgeVerify({
        before: aScan(was),
        after: after(is),
        plan,
        results: [installed],
        settings: verifySettings,
        wasRebooted: false,
        ...over,
      }).map(({ level, check, message }) => `${level} ${check}: ${message}`);
      assert.equal(findings.length, found.length, findings.join('\n'));
      for (const [index, expected] of found.entries()) assert.match(findings[index] ?? '', expected);
    });
  }

  test('a superseded kernel of an older ABI need not be there', () => {
    const image = aPlanned({ name: 'linux-image-6.1.0-31-amd64', from: null, to: '6.1.31', isKernel: true });
    const next = { ...image, name: 'linux-image-6.1.0-32-amd64', to: '6.1.32' };
    const findings = judgeVerify({
      before,
      after: aScan({ packages: [aPackage(), aPackage({ name: next.name, version: '6.1.32' })] }),
      plan: { updates: [image], removals: [], leftOut: [] },
      results: [],
      superseded: [{ planned: image, successor: next }],
      settings: verifySettings,
      wasRebooted: false,
    });
    assert.deepEqual(findings, []);
  });
});

describe('the verdict', () => {
  test('of a host that was only rebooted has that reason', () => {
    assert.equal(verdictOf(input({ change: 'none', reboots: 1 })).reason, 'rebooted, new boot id');
    assert.equal(verdictOf(input({ change: 'none' })).reason, 'nothing was left to do');
  });

  const needed: RebootState = { ...before.reboot, needed: 'yes', reasons: ['kernel 6.1.0-31-amd64'] };
  const stale = [{ pid: 1, name: 'nginx', unit: 'nginx.service' }];
  const input = (over: Partial<VerdictInput> = {}): VerdictInput => ({
    findings: [],
    after: before,
    change: 'installed',
    reboots: 0,
    rebootMode: 'if-needed',
    restartServices: 'report',
    settings: verifySettings,
    ...over,
  });
  const verdicts: readonly [title: string, over: Partial<VerdictInput>, verdict: string, mode: boolean | undefined][] =
    [
      ['is verified when nothing is wrong', {}, 'verified', undefined],
      [
        'is unhealthy with one failure',
        { findings: [{ check: 'listener', level: 'fail', message: 'x' }] },
        'unhealthy',
        undefined,
      ],
      [
        'stays verified with warnings',
        { findings: [{ check: 'conffile', level: 'warn', message: 'x' }] },
        'verified',
        undefined,
      ],
      ['is pending-reboot while one is needed', { after: { ...before, reboot: needed } }, 'pending-reboot', undefined],
      [
        'is pending-reboot by the mode where the playbook sets never',
        { after: { ...before, reboot: needed }, rebootMode: 'never' },
        'pending-reboot',
        true,
      ],
      [
        'is not verified where it is unknown whether a reboot is needed',
        { after: { ...before, reboot: { ...needed, needed: 'unknown' } } },
        'pending-reboot',
        undefined,
      ],
      [
        'is pending-restart by the mode with stale services left behind',
        { after: { ...before, health: { ...quiet, staleProcesses: stale } } },
        'pending-restart',
        true,
      ],
      [
        'is pending-restart against the mode where they should have been restarted',
        { after: { ...before, health: { ...quiet, staleProcesses: stale } }, restartServices: 'stale' },
        'pending-restart',
        undefined,
      ],
      [
        'is verified with stale services that are ignored',
        {
          after: { ...before, health: { ...quiet, staleProcesses: stale } },
          settings: { ...verifySettings, ignore: ['nginx.service'] },
        },
        'verified',
        undefined,
      ],
      [
        'is verified where stale processes are ignored altogether',
        {
          after: { ...before, health: { ...quiet, staleProcesses: stale } },
          settings: { ...verifySettings, staleProcesses: 'ignore' },
        },
        'verified',
        undefined,
      ],
      [
        'is pending-reboot rather than pending-restart: a reboot cures both',
        { after: { reboot: needed, health: { ...quiet, staleProcesses: stale } } },
        'pending-reboot',
        undefined,
      ],
    ];
  for (const [title, over, verdict, mode] of verdicts) {
    test(title, () => {
      const outcome = verdictOf(input(over));
      assert.equal(outcome.verdict, verdict);
      assert.equal(outcome.followsFromMode, mode);
      assert.equal(outcome.change, 'installed');
      assert.notEqual(outcome.reason, '');
    });
  }

  test('names the first failures and counts the others', () => {
    const findings = ['a', 'b', 'c', 'd', 'e'].map(
      (message) => ({ check: 'listener', level: 'fail', message }) as const,
    );
    assert.equal(verdictOf(input({ findings })).reason, 'a; b; c; and 2 more');
  });
});
