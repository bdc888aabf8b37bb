import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { NtlmSealing, sealKey, signKey } from '../../../../src/transport/winrm/auth/sealing.ts';
import { clientFlags, ntlmFlags } from '../../../../src/transport/winrm/auth/ntlm-message.ts';

// [MS-NLMP] 4.2.4: the random session key is 16 times 0x55.
const sessionKey = Buffer.alloc(16, 0x55);
const plain = Buffer.from('Plaintext', 'utf16le');

function ends(): { readonly client: NtlmSealing; readonly server: NtlmSealing } {
  return {
    client: new NtlmSealing({ sessionKey, flags: clientFlags, side: 'client' }),
    server: new NtlmSealing({ sessionKey, flags: clientFlags, side: 'server' }),
  };
}

function isLost(error: unknown): boolean {
  return error instanceof FettleError && error.code === 'lost';
}

test('keys are those of the protocol document', () => {
  const bits56 = ntlmFlags.bits56;
  assert.equal(signKey(sessionKey, 'client-to-server').toString('hex'), '4788dc861b4782f35d43fd98fe1a2d39');
  assert.equal(signKey(sessionKey, 'server-to-client').toString('hex'), 'd04d6f10741041d1d246d64188d7a8ad');
  assert.equal(
    sealKey(sessionKey, 'client-to-server', clientFlags).toString('hex'),
    '59f600973cc4960a25480a7c196e4c58',
  );
  assert.equal(
    sealKey(sessionKey, 'server-to-client', clientFlags).toString('hex'),
    '9355f3a957c1583d25c4c2f11e40390e',
  );
  assert.equal(sealKey(sessionKey, 'client-to-server', bits56).toString('hex'), 'a5f7253c1065e8d3d68642040e71cfe0');
  assert.equal(sealKey(sessionKey, 'client-to-server', 0).toString('hex'), '42f964a471091a02ff4a77455366e4e5');
});

test('a first message is sealed as in the protocol document', () => {
  const { ciphertext, signature } = ends().client.seal(plain);
  assert.equal(ciphertext.toString('hex'), '54e50165bf1936dc996020c1811b0f06fb5f');
  assert.equal(signature.toString('hex'), '010000007fb38ec5c55d497600000000');
});

test('without key exchange the checksum stays in clear', () => {
  const flags = (clientFlags & ~ntlmFlags.keyExchange) >>> 0;
  const { ciphertext, signature } = new NtlmSealing({ sessionKey, flags, side: 'client' }).seal(plain);
  assert.equal(ciphertext.toString('hex'), '54e50165bf1936dc996020c1811b0f06fb5f');
  assert.equal(signature.toString('hex'), '0100000070352851f256430900000000');
});

test('messages of both directions arrive, empty and large ones too', () => {
  const { client, server } = ends();
  for (const message of [plain, Buffer.alloc(0), Buffer.alloc(200_000, 7), plain]) {
    assert.deepEqual(server.unseal(client.seal(message)), message);
    assert.deepEqual(client.unseal(server.seal(message)), message);
  }
});

test('what was altered, repeated, reordered or cut is refused, and so is everything after it', () => {
  type Harm = (first: ReturnType<NtlmSealing['seal']>, second: ReturnType<NtlmSealing['seal']>) => typeof first;
  const flip = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([(bytes[0] ?? 0) ^ 1]), bytes.subarray(1)]);
  const harms: readonly Harm[] = [
    ({ signature, ciphertext }) => ({ signature, ciphertext: flip(ciphertext) }),
    ({ signature, ciphertext }) => ({ signature: flip(signature), ciphertext }),
    ({ signature, ciphertext }) => ({ signature, ciphertext: ciphertext.subarray(1) }),
    ({ signature, ciphertext }) => ({ signature: signature.subarray(0, 15), ciphertext }),
    ({ ciphertext }) => ({ signature: Buffer.alloc(0), ciphertext }),
    (_first, second) => second,
  ];
  for (const harm of harms) {
    const { client, server } = ends();
    const messages = [client.seal(plain), client.seal(plain)] as const;
    assert.throws(() => server.unseal(harm(...messages)), isLost);
    assert.throws(() => server.unseal(messages[0]), isLost);
    assert.throws(() => server.seal(plain), isLost);
  }
  const { client, server } = ends();
  const message = client.seal(plain);
  server.unseal(message);
  assert.throws(() => server.unseal(message), isLost);
});

test('an end does not take its own messages back', () => {
  const { client } = ends();
  assert.throws(() => client.unseal(client.seal(plain)), isLost);
});

test('after it is disposed of nothing is sealed any more', () => {
  const { client } = ends();
  client[Symbol.dispose]();
  assert.throws(() => client.seal(plain), isLost);
});
