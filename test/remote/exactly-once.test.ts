// A job runs once whatever holds its starters up, whoever else starts it meanwhile, and wherever the host loses power.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { collectJob, startJob } from '../../src/remote/jobs.ts';
import type { StartOptions } from '../../src/remote/jobs.ts';
import { runScript } from '../../src/remote/launch.ts';
import type { RemoteScript } from '../../src/remote/script.ts';
import { ended, hook, noLinux } from '../support/hook-job.ts';
import { heldAt, placesOfAStart } from '../support/paused-script.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';

function startBy(session: ShellSession, script: RemoteScript, start: StartOptions): Promise<unknown> {
  const { job, kind, run, controller, fence, request } = start;
  const fields = { ...request.fields, job, kind, run, controller: controller.replaceAll(' ', '_'), fence };
  return runScript(session, script, { verb: 'start', fields });
}

function runsOf(session: ShellSession): number {
  try {
    return readFileSync(join(session.home, 'count'), 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
}

const without = shellIsMissing('dash') ?? noLinux ?? false;

/** Hosts of their own, some at once: most of the time is spent waiting. */
function atEachPlace(work: (place: number, session: ShellSession) => Promise<void>): Promise<unknown> {
  const places = placesOfAStart();
  assert.ok(places.length >= 30, `${places.length} places`);
  const limit = pLimit(6);
  return Promise.all(
    places.map((place) =>
      limit(async () => {
        await using session = new ShellSession();
        await work(place, session);
      }),
    ),
  );
}

describe('a starter that is held up', { skip: without }, () => {
  test('at any line starts nothing that another one has finished', async () => {
    await atEachPlace(async (place, session) => {
      const start = hook('r1-a-1', `echo x >>"${join(session.home, 'count')}"`);
      const hold = heldAt(session, place);
      const late = startBy(session, hold.script, start);
      const at = await hold.reached(late);
      // Who holds the lock is waited for by the others; elsewhere they go on to the end and collect.
      if (at?.hasLock === true) hold.release();
      await startJob(session, start);
      await ended(session, start.job);
      await collectJob(session, start.job);
      hold.release();
      await late;
      assert.equal((await startJob(session, start)).phase, 'collected', `line ${place}`);
      assert.equal(runsOf(session), 1, `held up at line ${place}`);
    });
  });
});

describe('two runs that come to a host', { skip: without }, () => {
  test('never work on it at once, wherever the one is held up that came first', async () => {
    await atEachPlace(async (place, session) => {
      const at = (name: string): string => join(session.home, name);
      const alone = `mkdir "${at('alone')}" || echo x >>"${at('company')}"; echo x >>"${at('count')}"
until [ -e "${at('end')}" ]; do sleep 0.02; done; rmdir "${at('alone')}"`;
      const hold = heldAt(session, place);
      const first = startBy(session, hold.script, hook('r1-a-1', alone));
      const where = await hold.reached(first);
      if (where?.hasLock === true) hold.release();
      const outcome = await startJob(session, hook('r2-a-1', alone, { run: 'R2' })).then(
        () => 'in',
        () => 'kept out',
      );
      hold.release();
      await first;
      while (runsOf(session) === 0) await sleep(10);
      assert.ok(!existsSync(at('company')), `two at once: held up at line ${place}, the other was ${outcome}`);
      assert.equal(runsOf(session), 1);
      writeFileSync(at('end'), '');
      await ended(session, outcome === 'in' ? 'r2-a-1' : 'r1-a-1');
    });
  });
});
