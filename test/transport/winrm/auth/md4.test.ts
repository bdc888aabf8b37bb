import assert from 'node:assert/strict';
import { test } from 'node:test';
import { md4 } from '../../../../src/transport/winrm/auth/md4.ts';

// RFC 1320, appendix A.5.
const known: readonly (readonly [text: string, digest: string])[] = [
  ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
  ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
  ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
  ['message digest', 'd9130a8164549fe818874806e1c7014b'],
  ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
  ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
];

test('MD4 gives the digests of RFC 1320', () => {
  for (const [text, digest] of known) assert.equal(md4(Buffer.from(text)).toString('hex'), digest, text);
});

test('MD4 leaves the message as it was', () => {
  const message = Buffer.from('Password', 'utf16le');
  md4(message);
  assert.equal(message.toString('utf16le'), 'Password');
});
