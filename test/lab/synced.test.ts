import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Lab } from './lab.ts';
import type { Proof } from './synced/proof.ts';
import { startScene } from './synced/scene.ts';
import { noStrace, proofsOf, titleOf, traceRun, type TracedRun } from './synced/traced-run.ts';

describe('what is about to happen is on the disk first', { skip: noStrace() }, () => {
  let lab: Lab;
  let applied: TracedRun;
  let proofs: readonly Proof[];

  before(async () => {
    const { lab: started, plan } = await startScene();
    lab = started;
    applied = await traceRun(lab, ['apply', plan]);
    proofs = proofsOf(applied);
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test('each start and removal of a job, each reboot and each hook follows the sync of the commit that announces it', () => {
    const violations = proofs.filter(({ violation }) => violation !== undefined);
    assert.deepEqual(violations, []);
    const seen = new Set(proofs.map(({ effect }) => `${effect.host} ${titleOf(effect)}`));
    const jobs = ['refresh-apt', 'before-host-2', 'install-apt'].flatMap((part) => [
      `start ${part}`,
      `collect ${part}`,
    ]);
    const everywhere = [...jobs, 'hook before_host', 'hook after_host'];
    const withReboot = ['start before-reboot-1', 'collect before-reboot-1', 'start reboot-1', 'collect reboot-1'];
    const expected = [
      ...['web01', 'web02'].flatMap((host) => everywhere.map((title) => `${host} ${title}`)),
      ...withReboot.map((title) => `web01 ${title}`),
    ];
    assert.deepEqual([...seen].sort(), expected.sort());
  });

  test('every job and every hook in the ledger has its side effect in the trace', () => {
    const proven = new Set(proofs.map(({ event }) => event?.seq));
    const announcing = applied.events.filter(
      ({ type, step, job }) => type === 'step.started' && (job !== undefined || /^(before|after)_/.test(step ?? '')),
    );
    assert.ok(announcing.length > 0);
    assert.deepEqual(
      announcing.filter(({ seq }) => !proven.has(seq)),
      [],
    );
  });

  test('a trace that lacks the syncs before one reboot is reported', () => {
    const reboot = proofs.find(({ effect }) => titleOf(effect) === 'start reboot-1');
    assert.ok(reboot?.sync);
    const lines = applied.trace.split('\n');
    const { endedAt } = reboot.sync;
    const doctored = lines.with(endedAt, '').join('\n');
    const told = proofsOf({ ...applied, trace: doctored }).filter(({ violation }) => violation !== undefined);
    assert.deepEqual(
      told.map(({ effect, violation }) => [titleOf(effect), violation]),
      [['start reboot-1', 'the log was synced too late']],
    );
  });

  test('a ledger that is not synced is reported', async () => {
    const unsynced = await traceRun(lab, ['reboot', 'web02', '--force', '--yes', '-q'], ['unsynced.ts']);
    assert.deepEqual(
      proofsOf(unsynced).map(({ effect, violation }) => [titleOf(effect), violation]),
      ['start', 'collect'].map((kind) => [`${kind} reboot-1`, 'the log was not synced after its event']),
    );
  });
});
