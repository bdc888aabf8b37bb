import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avIds, decodeAvPairs } from '../../../../src/transport/winrm/auth/ntlm-message.ts';
import { ntlmV2Answer, ntowfV1, ntowfV2, splitUser } from '../../../../src/transport/winrm/auth/ntlm-response.ts';
import { Rc4 } from '../../../../src/transport/winrm/auth/rc4.ts';

// [MS-NLMP] 4.2.1 and 4.2.4.
const account = { user: 'User', domain: 'Domain' };
const targetInfo = Buffer.from('02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000', 'hex');
const epoch1601 = -11_644_473_600_000;

test('hashes of a password are those of the protocol document', () => {
  assert.equal(ntowfV1('Password').toString('hex'), 'a4f49c406510bdcab6824ee7c30fd852');
  assert.equal(ntowfV2('Password', account).toString('hex'), '0c868a403bfd7a93a3001ef22ef02e3f');
});

test('responses and keys are those of the protocol document', () => {
  const answer = ntlmV2Answer({
    key: ntowfV2('Password', account),
    serverChallenge: Buffer.from('0123456789abcdef', 'hex'),
    clientChallenge: Buffer.alloc(8, 0xaa),
    nowMs: epoch1601,
    pairs: decodeAvPairs(targetInfo),
  });
  assert.equal(answer.ntResponse.subarray(0, 16).toString('hex'), '68cd0ab851e51c96aabc927bebef6a1c');
  assert.equal(answer.lmResponse.toString('hex'), '86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa');
  assert.equal(answer.keyExchangeKey.toString('hex'), '8de40ccadbc14a82f15cb0ad0de95ca3');
  assert.equal(answer.hasTimestamp, false);
  const encrypted = new Rc4(answer.keyExchangeKey).update(Buffer.alloc(16, 0x55));
  assert.equal(encrypted.toString('hex'), 'c5dad2544fc9799094ce1ce90bc9d03e');
});

test('the time of the host counts before the own clock, and leaves the old response out', () => {
  const answer = ntlmV2Answer({
    key: Buffer.alloc(16),
    serverChallenge: Buffer.alloc(8),
    clientChallenge: Buffer.alloc(8),
    nowMs: 0,
    pairs: [{ id: avIds.timestamp, value: Buffer.from('0090d336b734c301', 'hex') }],
  });
  assert.equal(answer.ntResponse.subarray(24, 32).toString('hex'), '0090d336b734c301');
  assert.deepEqual(answer.lmResponse, Buffer.alloc(24));
  assert.equal(answer.hasTimestamp, true);
});

test('without a time of the host the own clock is sent as 100 ns since 1601', () => {
  const answer = ntlmV2Answer({
    key: Buffer.alloc(16),
    serverChallenge: Buffer.alloc(8),
    clientChallenge: Buffer.alloc(8),
    nowMs: Date.UTC(2000, 0, 1),
    pairs: [],
  });
  assert.equal(answer.ntResponse.readBigUInt64LE(24), 125_911_584_000_000_000n);
});

test('the case of a user does not count, that of a domain does', () => {
  const hash = ntowfV2('Password', account);
  assert.deepEqual(ntowfV2('Password', { user: 'uSER', domain: 'Domain' }), hash);
  assert.notDeepEqual(ntowfV2('Password', { user: 'User', domain: 'DOMAIN' }), hash);
  assert.deepEqual(ntowfV2('x', { user: 'jürgen', domain: '' }), ntowfV2('x', { user: 'JÜRGEN', domain: '' }));
});

test('a letter without a single capital stays as it is', () => {
  assert.notDeepEqual(ntowfV2('x', { user: 'groß', domain: '' }), ntowfV2('x', { user: 'GROSS', domain: '' }));
  assert.notDeepEqual(ntowfV2('x', { user: 'adm\u0131n', domain: '' }), ntowfV2('x', { user: 'ADMIN', domain: '' }));
});

test('a user is taken apart at the backslash only', () => {
  assert.deepEqual(splitUser('LAB\\alice'), { user: 'alice', domain: 'LAB' });
  assert.deepEqual(splitUser('.\\Administrator'), { user: 'Administrator', domain: '.' });
  assert.deepEqual(splitUser('alice@lab.test'), { user: 'alice@lab.test', domain: '' });
  assert.deepEqual(splitUser('alice'), { user: 'alice', domain: '' });
});
