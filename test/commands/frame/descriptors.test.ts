import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fittingAtOnce, oneSession, rolloutSessions } from '../../../src/commands/frame/descriptors.ts';
import type { Descriptors } from '../../../src/commands/invocation/context.ts';
import type { Transports } from '../../../src/transport/registry.ts';
import { sshHost } from '../../support/sshd.ts';

const hosts = Array.from({ length: 300 }, (_, index) => sshHost(`h${index}`));

/** A session of each host holds `each` descriptors. */
function transportsOf(each: number): Transports {
  const transport = {
    name: 'ssh',
    open: () => Promise.reject(new Error('no host is contacted')),
    descriptors: () => Promise.resolve(each),
  };
  return { get: () => transport, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function fitting(
  wanted: number,
  { found, each = 1, use = oneSession }: { found: Descriptors | undefined; each?: number; use?: typeof oneSession },
) {
  const warnings: string[] = [];
  const context = {
    descriptors: () => found,
    console: { warn: (text: string) => void warnings.push(text) },
  };
  const atOnce = await fittingAtOnce(wanted, { hosts, transports: transportsOf(each), use }, context);
  return { atOnce, warnings };
}

test('as many hosts go at once as are asked for where there are descriptors for them, or no limit is known', async () => {
  assert.deepEqual(await fitting(250, { found: { limit: 20_000, open: 30 } }), { atOnce: 250, warnings: [] });
  assert.deepEqual(await fitting(250, { found: { limit: 300, open: 30 } }), { atOnce: 250, warnings: [] });
  assert.deepEqual(await fitting(250, { found: undefined }), { atOnce: 250, warnings: [] });
});

test('fewer go where there are not, by what a session of the neediest host holds and by what the command does', async () => {
  const found = { limit: 150, open: 30 };
  assert.equal((await fitting(250, { found })).atOnce, 100);
  assert.equal((await fitting(250, { found, each: 3 })).atOnce, 33);
  const rollout = await fitting(250, { found, each: 3, use: rolloutSessions });
  assert.equal(rollout.atOnce, 12);
  assert.deepEqual(rollout.warnings, [
    'warning: 12 hosts at once instead of 250: this process may open 150 files\nhint: raise the limit: ulimit -n 4096',
  ]);
});

test('hosts that are not there need none', async () => {
  assert.deepEqual(await fitting(5_000, { found: { limit: 400, open: 30 } }), { atOnce: 5_000, warnings: [] });
});

test('where not one host fits, that is reported as a fault of this machine', async () => {
  await assert.rejects(fitting(250, { found: { limit: 52, open: 30 }, each: 3 }), {
    code: 'config',
    message: /may open 52 files and has 30 open, which leaves too few for one host; none was contacted/,
  });
});
