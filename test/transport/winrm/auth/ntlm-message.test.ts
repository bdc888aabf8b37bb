import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import {
  decodeAvPairs,
  decodeChallenge,
  encodeAuthenticate,
  encodeAvPairs,
  encodeNegotiate,
} from '../../../../src/transport/winrm/auth/ntlm-message.ts';

// [MS-NLMP] 4.2.4.3.
const challenge = Buffer.from(
  '4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000060070170000000f' +
    '530065007200760065007200' +
    '02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000',
  'hex',
);

function altered(change: (message: Buffer) => void): Buffer {
  const message = Buffer.from(challenge);
  change(message);
  return message;
}

function isAuth(error: unknown): boolean {
  return error instanceof FettleError && error.code === 'auth';
}

test('the negotiate message is the one of 40 bytes', () => {
  assert.equal(
    encodeNegotiate().toString('hex'),
    '4e544c4d5353500001000000358288e2000000002800000000000000280000000a00614a0000000f',
  );
});

test('the challenge of the protocol document reads', () => {
  const { flags, serverChallenge, targetInfo } = decodeChallenge(challenge);
  assert.equal(flags, 0xe28a_8233);
  assert.equal(serverChallenge.toString('hex'), '0123456789abcdef');
  assert.deepEqual(
    targetInfo.map(({ id, value }) => [id, value.toString('utf16le')]),
    [
      [2, 'Domain'],
      [1, 'Server'],
    ],
  );
});

test('a challenge without target information has no pairs, whatever its fields contain', () => {
  const message = altered((bytes) => {
    bytes.writeUInt32LE(0xe20a_8233, 20);
    bytes.writeUInt32LE(0xffff_ffff, 44);
  });
  assert.deepEqual(decodeChallenge(message).targetInfo, []);
});

test('a challenge that is cut, foreign or points outside of itself is refused', () => {
  const broken: readonly Buffer[] = [
    Buffer.alloc(0),
    challenge.subarray(0, 47),
    challenge.subarray(0, challenge.length - 1),
    Buffer.concat([challenge, Buffer.alloc(40_000)]),
    altered((bytes) => bytes.writeUInt32LE(1, 8)),
    altered((bytes) => bytes.write('NTLMSSQ', 0)),
    altered((bytes) => bytes.writeUInt32LE(0xffff_fff0, 44)),
    altered((bytes) => bytes.writeUInt32LE(4, 44)),
    altered((bytes) => bytes.writeUInt16LE(0xffff, 40)),
    altered((bytes) => bytes.writeUInt16LE(0x000d, 70)),
    altered((bytes) => bytes.writeUInt16LE(0xffff, 86)),
    altered((bytes) => bytes.writeUInt16LE(6, 68)),
    altered((bytes) => bytes.writeUInt16LE(7, 68)),
  ];
  for (const message of broken) assert.throws(() => decodeChallenge(message), isAuth);
});

test('pairs come back as they were written, and end at their end mark', () => {
  const pairs = [
    { id: 3, value: Buffer.from('win01', 'utf16le') },
    { id: 7, value: Buffer.alloc(8, 1) },
    { id: 6, value: Buffer.alloc(4) },
    { id: 1, value: Buffer.alloc(0) },
  ];
  assert.deepEqual(decodeAvPairs(Buffer.concat([encodeAvPairs(pairs), Buffer.from('ff')])), pairs);
  assert.deepEqual(decodeAvPairs(Buffer.alloc(0)), []);
});

test('fields of the last message lie one after the other behind room for the MIC', () => {
  const message = encodeAuthenticate({
    flags: 0xe288_8235,
    lmResponse: Buffer.alloc(24, 1),
    ntResponse: Buffer.alloc(60, 2),
    domain: 'D',
    user: 'us',
    workstation: '',
    encryptedSessionKey: Buffer.alloc(16, 3),
  });
  const at = (offset: number): readonly number[] => [message.readUInt16LE(offset), message.readUInt32LE(offset + 4)];
  assert.deepEqual([12, 20, 28, 36, 44, 52].map(at), [
    [24, 88],
    [60, 112],
    [2, 172],
    [4, 174],
    [0, 178],
    [16, 178],
  ]);
  assert.equal(message.readUInt32LE(60), 0xe288_8235);
  assert.deepEqual(message.subarray(72, 88), Buffer.alloc(16));
  assert.equal(message.length, 194);
});
