// Bytes that nobody meant: whatever comes from the other end, the parsers of the login end soon and with our own error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { bindingHash } from '../../../../src/transport/winrm/auth/channel-binding.ts';
import { readDer, decodeOid } from '../../../../src/transport/winrm/auth/der.ts';
import { decodeAvPairs, decodeChallenge } from '../../../../src/transport/winrm/auth/ntlm-message.ts';
import { NtlmContext } from '../../../../src/transport/winrm/auth/ntlm.ts';
import { decodeFramed, encodeFramed } from '../../../../src/transport/winrm/auth/token-framing.ts';
import { makeCertificate } from '../../../support/winrm-server/certificate.ts';
import { mutations, randomBuffer, seeded } from '../fuzz.ts';

const protocol = 'application/HTTP-SPNEGO-session-encrypted';
const contentType = `multipart/encrypted;protocol="${protocol}";boundary="Encrypted Boundary"`;
const challenge = Buffer.from(
  '4e544c4d53535000020000000600060038000000358289e20123456789abcdef00000000000000005c005c003e0000000a00614a0000000f' +
    '4c0041004200020006004c004100420001000a00570049004e0030003100040010006c00610062002e0074006500730074000300' +
    '1c00770069006e00300031002e006c00610062002e007400650073007400070008000090d336b734c30100000000',
  'hex',
);

function times<T>(count: number, make: () => T): readonly T[] {
  return Array.from({ length: count }, make);
}

/** Runs `parse` on noise and on mutations of a sample. How many of them it took. */
function survive(sample: Buffer, seed: number, parse: (bytes: Buffer) => unknown): number {
  const random = seeded(seed);
  let taken = 0;
  for (const bytes of [...mutations(random, sample, 3000), ...times(1000, () => randomBuffer(random, 200))]) {
    try {
      parse(bytes);
      taken += 1;
    } catch (error) {
      assert.ok(error instanceof FettleError, `${String(error)} for ${bytes.toString('hex')}`);
      assert.notEqual(error.code, 'internal', bytes.toString('hex'));
    }
  }
  return taken;
}

test('challenges of any shape are read or refused', () => {
  assert.ok(survive(challenge, 1, decodeChallenge) > 0);
  assert.ok(survive(challenge.subarray(62), 2, decodeAvPairs) > 0);
});

test('a login answers a challenge of any shape or refuses it', () => {
  const answered = survive(challenge, 3, (bytes) => {
    using context = new NtlmContext({
      user: 'LAB\\User',
      password: 'Password',
      serviceHost: 'win01.lab.test',
      isSealingRequired: true,
      randomBytes: (size) => Buffer.alloc(size, 1),
      now: () => 0,
    });
    context.step();
    assert.equal(context.step(bytes)?.isLast, true);
  });
  assert.ok(answered > 0);
});

test('certificates of any shape are read or refused', () => {
  const { der } = makeCertificate({ keyType: 'rsa-pss', digest: 'sha384' });
  assert.ok(survive(der, 4, bindingHash) > 0);
  // The end of a certificate is where its algorithm stands.
  const tail = der.subarray(der.length - 400);
  assert.ok(survive(Buffer.concat([Buffer.from('3082019430003000', 'hex'), tail]), 5, bindingHash) >= 0);
  assert.ok(survive(der.subarray(0, 60), 6, decodeOid) > 0);
});

test('an element of DER never reaches beyond its bytes', () => {
  survive(Buffer.from('30820004020101020103', 'hex'), 7, (bytes) => {
    const { element, rest } = readDer(bytes);
    assert.ok(element.content.length + rest.length <= bytes.length - 2);
  });
});

test('sealed bodies of any shape are read or refused, and never beyond their end', () => {
  const sample = encodeFramed(
    { signature: Buffer.alloc(16, 1), ciphertext: Buffer.alloc(40, 2), length: 40 },
    protocol,
  );
  const taken = survive(sample, 8, (bytes) => {
    const { signature, ciphertext, length } = decodeFramed(contentType, bytes, protocol);
    assert.equal(ciphertext.length, length);
    assert.ok(signature.length + length < bytes.length);
  });
  assert.ok(taken > 0);
});

test('content types of any shape are read or refused', () => {
  const body = encodeFramed({ signature: Buffer.alloc(16, 1), ciphertext: Buffer.alloc(40, 2), length: 40 }, protocol);
  const taken = survive(Buffer.from(contentType), 9, (bytes) => decodeFramed(bytes.toString('latin1'), body, protocol));
  assert.ok(taken > 0);
});

test('large hostile input takes no longer than its size', () => {
  const many = [
    () => decodeFramed(`multipart/encrypted${';'.repeat(60_000)}`, Buffer.alloc(0), protocol),
    () => decodeFramed(`multipart/encrypted;${' '.repeat(60_000)}x`, Buffer.alloc(0), protocol),
    () => decodeFramed(contentType, Buffer.alloc(4_000_000, '\r\n'), protocol),
    () => decodeFramed(contentType, Buffer.alloc(4_000_000, '-'), protocol),
    () => decodeChallenge(Buffer.alloc(4_000_000)),
    () => decodeOid(Buffer.alloc(4_000_000, 0x81)),
    () => bindingHash(Buffer.alloc(4_000_000, 0x30)),
  ];
  for (const parse of many) assert.throws(parse, FettleError);
});
