import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Flavour } from './base.ts';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

for (const flavour of ['plain', 'systemd'] as const satisfies readonly Flavour[]) {
  describe(`an install that is interrupted, on a host that is ${flavour}`, () => {
    let lab: Lab;
    let scenario: Scenario;

    beforeEach(async () => {
      lab = await startLab({
        name: `cut-${flavour}`,
        hosts: [{ name: 'slow', flavour, packages: ['fettle-slow'], files: { '/etc/fettle-lab/slow-step': '0.4\n' } }],
      });
      scenario = await Scenario.start(lab, {});
      await scenario.makePlan();
    });

    afterEach(async () => {
      await lab[Symbol.asyncDispose]();
    });

    async function assertInstalledOnce(): Promise<void> {
      assert.deepEqual(await scenario.verdicts(), { slow: 'verified' });
      assert.equal(await lab.packageState('slow', 'fettle-slow'), 'ii 2.0-1');
      assert.equal(await lab.postinstRuns('slow', 'fettle-slow'), 1);
      await scenario.assertNothingLeft('slow');
      await scenario.fettle(['ledger', 'verify']);
    }

    test('kill -9 of fettle in the middle: run resume attaches and the postinst ran once', async () => {
      const fettle = scenario.spawn(['apply', scenario.plan, '-vv']);
      await fettle.waitForText('step 5 of 20');
      fettle.kill('SIGKILL');
      await fettle.done();
      assert.equal(await lab.packageState('slow', 'fettle-slow').then((state) => state?.startsWith('ii')), false);
      const resumed = await scenario.fettle(['run', 'resume', '-vv']);
      assert.match(resumed.stderr, /step 20 of 20/);
      await assertInstalledOnce();
    });

    // Shorter than that is part of the contract of every package manager.
    if (flavour === 'plain') {
      test('the network gone for half a minute: the same process goes on where it was', async () => {
        const fettle = scenario.spawn(['apply', scenario.plan, '-vv'], {});
        await fettle.waitForText('step 3 of 20');
        await lab.host('slow').cutNetwork('silent', 30_000);
        const { code, stdout, stderr } = await fettle.done();
        assert.equal(code, 0, `${stdout}${stderr}`);
        assert.match(stderr, /step 20 of 20/);
        await assertInstalledOnce();
      });
    }

    test('SIGTERM detaches with exit 143, and run resume finishes', async () => {
      const fettle = scenario.spawn(['apply', scenario.plan, '-vv']);
      await fettle.waitForText('step 2 of 20');
      fettle.kill('SIGTERM');
      const { code, stderr } = await fettle.done();
      assert.equal(code, 143, stderr);
      assert.match(stderr, /run resume/);
      await scenario.fettle(['run', 'resume']);
      await assertInstalledOnce();
    });

    for (const moment of ['before-start', 'after-claim', 'after-result', 'before-sweep'] as const) {
      test(`killed ${moment.replace('-', ' ')}: run resume ends with one postinst`, async () => {
        await lab.tell('slow', 'echo 0.02 >/etc/fettle-lab/slow-step');
        const mortal = join(import.meta.dirname, 'dying-fettle.ts');
        const words = [process.execPath, mortal, moment, 'apply', scenario.plan, '-i', lab.inventoryPath];
        const { code, stderr } = await lab.exec(words);
        assert.equal(code, 137, stderr);
        await scenario.fettle(['run', 'resume']);
        await assertInstalledOnce();
      });
    }
  });
}
