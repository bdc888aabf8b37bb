// What fettle promises of every package manager of a system, tried on real hosts: the same tests for each row.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startLab } from '../lab.ts';
import type { Lab } from '../lab.ts';
import { Scenario } from '../scenario.ts';
import { fillFile, holdFile, scriptLog } from './packages.ts';
import type { ContractRow } from './row.ts';

interface PlanFile {
  readonly hosts: readonly {
    readonly updates: readonly { readonly name: string; readonly to: string }[];
    readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  }[];
}

interface RunDetail {
  readonly updates: readonly {
    readonly name: string;
    readonly state: string;
    readonly now: string | null;
  }[];
}

/** Each promise has a host of its own, with the packages that it needs. */
const hosts = {
  exact: ['lab-exact', 'lab-plain'],
  removal: ['lab-remover', 'lab-victim', 'lab-plain'],
  lock: ['lab-plain'],
  failing: ['lab-fails-before', 'lab-fails-after', 'lab-plain'],
  moved: ['lab-moved', 'lab-plain'],
  cut: ['lab-slow', 'lab-plain'],
  killed: ['lab-slow', 'lab-plain'],
  full: ['lab-big', 'lab-plain'],
} as const;

type Promised = keyof typeof hosts;

/** Kills whatever program of a package manager runs, all at once, and lets the script of lab-slow end. */
const killScript = `pids=
for directory in /proc/[0-9]*; do
  case $(cat $directory/comm 2>/dev/null) in
    apt-get | dpkg | rpm | dnf5 | zypper | pacman | apk) pids="$pids \${directory#/proc/}" ;;
    python*) if grep -qsz '/program$' $directory/cmdline; then pids="$pids \${directory#/proc/}"; fi ;;
  esac
done
kill -9 $pids
rm ${holdFile}`;

/** Declares the tests of a package manager; `node:test` runs them on one lab. */
export function contractOf(row: ContractRow): void {
  describe(`the contract of a package manager, with ${row.manager}`, { skip: row.missing ?? false }, () => {
    let lab: Lab;
    let scenario: Scenario;

    before(async () => {
      const options = Object.entries(hosts).map(([name, packages]) => ({ name, ...row.host(packages) }));
      lab = await startLab({ name: `contract-${row.manager}`, hosts: options });
      scenario = await Scenario.start(lab, {});
    });

    after(async () => {
      await lab[Symbol.asyncDispose]();
    });

    async function plan(host: Promised, playbook: Readonly<Record<string, unknown>> = {}) {
      await scenario.write({ targets: { select: host }, rollout: { waves: ['rest'] }, ...playbook });
      await scenario.makePlan();
      const [hostPlan] = (JSON.parse(await readFile(scenario.plan, 'utf8')) as PlanFile).hosts;
      assert.ok(hostPlan);
      return hostPlan;
    }

    async function assertPlanned(host: Promised, updates: Readonly<Record<string, string>>): Promise<void> {
      const found = (await plan(host)).updates.map(({ name, to }) => [name, to]);
      const expected = Object.entries(updates).map(([name, version]) => [name, row.version(version)]);
      assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expected));
    }

    /** Versions that are installed, by package; what is half installed is none of them. */
    async function assertInstalled(host: Promised, expected: Readonly<Record<string, string>>): Promise<void> {
      for (const [name, version] of Object.entries(expected)) {
        assert.deepEqual(await row.installed(lab, host, name), [row.version(version)], name);
      }
    }

    async function assertEnds(host: Promised, verdict: string): Promise<void> {
      assert.deepEqual(await scenario.verdicts(), { [host]: verdict });
    }

    test('the version that was planned goes in, and not the newest; then nothing is left to do', async (context) => {
      if (row.lacks?.security !== undefined) return context.skip(row.lacks.security);
      const security = { policy: { security_only: true } };
      const { updates } = await plan('exact', security);
      assert.deepEqual(
        updates.map(({ name, to }) => [name, to]),
        [['lab-exact', row.version('1.1')]],
      );
      await scenario.fettle(['apply', scenario.plan]);
      await assertEnds('exact', 'verified');
      await assertInstalled('exact', { 'lab-exact': '1.1', 'lab-plain': '1.0' });
      await scenario.assertNothingLeft('exact');
      assert.deepEqual((await plan('exact', security)).updates, []);
    });

    test('an update that would remove another package is left out with the reason', async () => {
      if (row.wholeUpgrade !== undefined) return assertRefused(row.wholeUpgrade);
      const { updates, leftOut } = await plan('removal');
      assert.deepEqual(
        updates.map(({ name }) => name),
        ['lab-plain'],
      );
      assert.match(leftOut.find(({ name }) => name === 'lab-remover')?.reason ?? '', /./);
      await scenario.fettle(['apply', scenario.plan]);
      await assertEnds('removal', 'verified');
      await assertInstalled('removal', { 'lab-remover': '1.0', 'lab-victim': '1.0', 'lab-plain': '1.1' });
    });

    test('a lock that another program holds is waited for, and the program is named', async () => {
      await plan('lock', { install: { lock_wait: '10m' } });
      const release = await row.holdLock(lab.host('lock'), 'lab-updater');
      const run = scenario.spawn(['apply', scenario.plan, '-vv']);
      await run.waitForText(/waiting for a lock.*lab-updater/i);
      await assertInstalled('lock', { 'lab-plain': '1.0' });
      await release();
      assert.equal((await run.done()).code, 0, run.stderr);
      await assertInstalled('lock', { 'lab-plain': '1.1' });
    });

    test('a script that fails is the failure of its package, and what is said of the others is true', async () => {
      await assertPlanned('failing', { 'lab-fails-before': '1.1', 'lab-fails-after': '1.1', 'lab-plain': '1.1' });
      const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
      assert.match(`${stdout}${stderr}`, /lab-fails-before is at|lab-fails-after is at/);
      await assertEnds('failing', 'failed');
      const { updates } = await scenario.json<RunDetail>(['run', 'show']);
      assert.deepEqual(updates.map(({ name }) => name).toSorted(), [...hosts.failing].toSorted());
      for (const { name, state, now } of updates) {
        const installed = await row.installed(lab, 'failing', name);
        if (state === 'installed') assert.deepEqual(installed, [row.version('1.1')], name);
        if (installed.length > 0) assert.deepEqual(installed, [now], name);
        if (name !== 'lab-plain') assert.notEqual(state, 'installed', name);
      }
    });

    test('a repository that has changed since the plan is drift, and nothing is begun', async () => {
      await assertPlanned('moved', { 'lab-moved': '1.1', 'lab-plain': '1.1' });
      await row.moveOn(lab, 'moved');
      const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
      assert.match(`${stdout}${stderr}`, /lab-moved/);
      await assertEnds('moved', 'drifted');
      await assertInstalled('moved', { 'lab-moved': '1.0', 'lab-plain': '1.0' });
    });

    test('an install goes on while the connection is cut, and is followed to its end afterwards', async () => {
      const host = lab.host('cut');
      const run = await startSlowly('cut');
      await host.cutNetwork('silent');
      await host.killSshSessions();
      await host.must(`rm ${holdFile}`);
      await host.until('ls /var/lib/fettle-jobs/jobs/*-install-*/result', 'finish the install');
      await host.restoreNetwork();
      assert.equal((await run.done()).code, 0, run.stderr);
      await assertEnds('cut', 'verified');
      await assertInstalled('cut', { 'lab-slow': '1.1', 'lab-plain': '1.1' });
      assert.equal(await lab.postinstRuns('cut', 'lab-slow', row.version('1.1')), 1);
      await scenario.assertNothingLeft('cut');
    });

    test('a package manager that is killed is repaired once by a resumed run', async () => {
      const run = await startSlowly('killed');
      await lab.host('killed').must(killScript);
      assert.equal((await run.done()).code, 4, run.stderr);
      await assertEnds('killed', 'failed');
      await scenario.fettle(['run', 'resume']);
      await assertEnds('killed', 'verified');
      await assertInstalled('killed', { 'lab-slow': '1.1', 'lab-plain': '1.1' });
      await scenario.assertNothingLeft('killed');
    });

    test('a disk that is full while a package is unpacked is reported, and the install repaired and finished', async () => {
      const host = lab.host('full');
      await assertPlanned('full', { 'lab-big': '1.1', 'lab-plain': '1.1' });
      await host.must(`: >${fillFile}`);
      const { stdout, stderr } = await scenario.fettle(['apply', scenario.plan], 4);
      assert.match(`${stdout}${stderr}`, /no space left|disk|full/i);
      assert.doesNotMatch((await row.installed(lab, 'full', 'lab-big')).join(' '), /1\.1/);
      await host.emptyDisk();
      await scenario.fettle(['run', 'resume']);
      await assertEnds('full', 'verified');
      await assertInstalled('full', { 'lab-big': '1.1', 'lab-plain': '1.1' });
    });

    /** A package manager that leaves out nothing has no plan where one update would remove another package. */
    async function assertRefused(words: RegExp): Promise<void> {
      await scenario.write({ targets: { select: 'removal' }, rollout: { waves: ['rest'] } });
      const { stdout, stderr } = await scenario.makePlan(4);
      assert.match(`${stdout}${stderr}`, words);
      await assertInstalled('removal', { 'lab-remover': '1.0', 'lab-victim': '1.0', 'lab-plain': '1.0' });
    }

    /** An apply that has come to the script of lab-slow, which waits. */
    async function startSlowly(name: Promised) {
      const host = lab.host(name);
      await assertPlanned(name, { 'lab-slow': '1.1', 'lab-plain': '1.1' });
      await host.must(`: >${holdFile}`);
      const run = scenario.spawn(['apply', scenario.plan]);
      const began = host
        .until(`grep -qx 'lab-slow ${row.version('1.1')}' ${scriptLog}`, 'begin the script of lab-slow')
        .then(() => true);
      const hasBegun = await Promise.race([began, run.done().then(() => false)]);
      assert.ok(hasBegun, `the run ended before the script of lab-slow began\n${run.stdout}${run.stderr}`);
      return run;
    }
  });
}
