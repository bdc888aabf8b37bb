import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rc4 } from '../../../../src/transport/winrm/auth/rc4.ts';

// RFC 6229, section 2: the first 32 bytes of the stream.
const known: readonly (readonly [key: string, stream: string])[] = [
  ['0102030405', 'b2396305f03dc027ccc3524a0a1118a86982944f18fc82d589c403a47a0d0919'],
  ['01020304050607', '293f02d47f37c9b633f2af5285feb46be620f1390d19bd84e2e0fd752031afc1'],
  ['0102030405060708090a0b0c0d0e0f10', '9ac7cc9a609d1ef7b2932899cde41b975248c4959014126a6e8a84f11d1a9e1c'],
];

test('RC4 gives the streams of RFC 6229', () => {
  for (const [key, stream] of known) {
    assert.equal(new Rc4(Buffer.from(key, 'hex')).update(Buffer.alloc(32)).toString('hex'), stream, key);
  }
});

test('RC4 runs on from one call to the next', () => {
  const whole = new Rc4(Buffer.from('Key')).update(Buffer.from('Plaintext'));
  const pieces = new Rc4(Buffer.from('Key'));
  const joined = Buffer.concat(['Pl', '', 'ainte', 'xt'].map((text) => pieces.update(Buffer.from(text))));
  assert.equal(whole.toString('hex'), 'bbf316e8d940af0ad3');
  assert.deepEqual(joined, whole);
});

test('RC4 forgets its key when it is disposed of', () => {
  const cipher = new Rc4(Buffer.from('Key'));
  cipher[Symbol.dispose]();
  assert.deepEqual(cipher.update(Buffer.from('Plaintext')), Buffer.from('Plaintext'));
});
