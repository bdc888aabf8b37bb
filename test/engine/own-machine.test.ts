import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeRemote } from '../support/fake-machine.ts';
import { ownOf } from '../support/own-machine.ts';
import { fakeHost, fakeMachine } from '../support/rollout-fixture.ts';

const facts = { machineId: 'm', bootId: 'b' };
const never = new AbortController().signal;

test('only a machine that reads a fresh secret from our own disk is the one fettle runs on', async () => {
  const disk = new Map<string, string>();
  const own = ownOf(facts, disk);
  const [self, other] = [fakeMachine('self'), fakeMachine('other')];
  Object.assign(self, { files: disk });
  assert.equal(await own.recognises(new FakeRemote(fakeHost('self'), self), facts, never), true);
  assert.equal(await own.recognises(new FakeRemote(fakeHost('other'), other), facts, never), false);
  assert.equal(disk.size, 0, 'the secret is gone afterwards');
});

test('a host that learned one secret does not pass with it again', async () => {
  const disk = new Map<string, string>();
  const own = ownOf(facts, disk);
  const replaying = fakeMachine('replaying');
  replaying.files.set('/ledger/secret-2', 'word-1');
  const remote = new FakeRemote(fakeHost('replaying'), replaying);
  assert.equal(await own.recognises(remote, facts, never), false);
  assert.equal(await own.recognises(remote, facts, never), false);
});

test('a host with other ids is not asked for the secret', async () => {
  const own = ownOf(facts, new Map());
  const host = fakeMachine('host');
  const asked: string[] = [];
  const remote = new FakeRemote(fakeHost('host'), host, (point) => void asked.push(point));
  assert.equal(await own.recognises(remote, { ...facts, bootId: 'other' }, never), false);
  assert.deepEqual(asked, []);
});
