import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../src/domain/secret.ts';
import { CredentialGuard } from '../../src/transport/credential-guard.ts';

const secret = new Secret('wrong horse');

test('a password that was refused twice is offered no more', async () => {
  const guard = new CredentialGuard();
  (await guard.offer('alice', secret))?.refused();
  (await guard.offer('alice', secret))?.refused();
  assert.equal(await guard.offer('alice', secret), undefined);
  assert.equal(await guard.offer('alice', new Secret('wrong horse')), undefined);
  assert.notEqual(await guard.offer('alice', new Secret('another')), undefined);
  assert.notEqual(await guard.offer('bob', secret), undefined);
});

test('an unproven password is on its way to two hosts at most, and the rest follow once it is accepted', async () => {
  const guard = new CredentialGuard();
  const [first, second] = [await guard.offer('alice', secret), await guard.offer('alice', secret)];
  const waiting = [1, 2, 3].map(() => guard.offer('alice', secret));
  let settled = 0;
  for (const offer of waiting) void offer.then(() => (settled += 1));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(settled, 0);
  second?.accepted();
  for (const offer of await Promise.all(waiting)) assert.notEqual(offer, undefined);
  first?.refused();
  (await guard.offer('alice', secret))?.refused();
  assert.notEqual(await guard.offer('alice', secret), undefined);
});

test('those who wait are turned away when the offers before them are refused', async () => {
  const guard = new CredentialGuard();
  const [first, second] = [await guard.offer('alice', secret), await guard.offer('alice', secret)];
  const waiting = guard.offer('alice', secret);
  first?.refused();
  second?.refused();
  assert.equal(await waiting, undefined);
});

test('an offer that ended unknown frees its place and counts as nothing', async () => {
  const guard = new CredentialGuard();
  for (let round = 0; round < 5; round += 1) (await guard.offer('alice', secret))?.withdrawn();
  const offer = await guard.offer('alice', secret);
  offer?.withdrawn();
  offer?.refused();
  (await guard.offer('alice', secret))?.refused();
  assert.notEqual(await guard.offer('alice', secret), undefined);
});

test('waiting for the answer of others ends when it is cancelled', async () => {
  const guard = new CredentialGuard();
  await guard.offer('alice', secret);
  await guard.offer('alice', secret);
  const controller = new AbortController();
  const waiting = guard.offer('alice', secret, controller.signal);
  controller.abort(new Error('let go'));
  await assert.rejects(waiting, /let go/);
});
