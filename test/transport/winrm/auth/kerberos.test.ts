import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import {
  clientPrincipal,
  openKerberos,
  servicePrincipals,
  splitWrapToken,
} from '../../../../src/transport/winrm/auth/kerberos.ts';

const serviceHost = 'win01.lab.test';

function isAuth(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof FettleError && error.code === 'auth' && pattern.test(error.message);
}

/** RFC 4121 4.2.6.2: header, then confounder, text, copy of the header and checksum as the cipher leaves them. */
function wrapToken(text: string, trailer: number): Buffer {
  const header = Buffer.from('050406ff000000000000000000000007', 'hex');
  return Buffer.concat([header, Buffer.alloc(16, 'c'), Buffer.from(text), Buffer.alloc(trailer, 't')]);
}

/** What a receiver does with the rotation count of a header: RFC 4121 4.2.5. */
function unrotated(token: Buffer): Buffer {
  const body = token.subarray(16);
  const count = token.readUInt16BE(6) % body.length;
  const header = Buffer.from(token.subarray(0, 16));
  header.writeUInt16BE(0, 6);
  return Buffer.concat([header, body.subarray(count), body.subarray(0, count)]);
}

test('a token is rotated so that the text stands alone at its end', () => {
  const { signature, ciphertext } = splitWrapToken(wrapToken('PLAIN', 28), 5);
  assert.equal(ciphertext.toString(), 'PLAIN');
  assert.equal(
    signature.toString('latin1'),
    Buffer.from('050406ff0000001c0000000000000007', 'hex').toString('latin1') + 't'.repeat(28) + 'c'.repeat(16),
  );
});

test('the signature has the size of its cipher, and a receiver finds the token it was', () => {
  for (const [trailer, size] of [
    [28, 60],
    [32, 64],
    [40, 72],
  ] as const) {
    for (const text of ['', '<a/>', 'x'.repeat(100_000)]) {
      const token = wrapToken(text, trailer);
      const { signature, ciphertext } = splitWrapToken(token, text.length);
      assert.equal(signature.length, size);
      assert.equal(ciphertext.length, text.length);
      assert.deepEqual(unrotated(Buffer.concat([signature, ciphertext])), token);
    }
  }
});

test('the token that is split stays as it was', () => {
  const token = wrapToken('PLAIN', 28);
  const copy = Buffer.from(token);
  splitWrapToken(token, 5);
  assert.deepEqual(token, copy);
});

test('tokens of weak ciphers, unsealed, rotated or cut ones are refused', () => {
  const altered = (change: (token: Buffer) => void): Buffer => {
    const token = wrapToken('PLAIN', 28);
    change(token);
    return token;
  };
  const wrong: readonly Buffer[] = [
    Buffer.from('604906092a864886f71201020202011100100000', 'hex'),
    altered((token) => token.writeUInt16BE(0x0404, 0)),
    altered((token) => token.writeUInt8(0x04, 2)),
    altered((token) => token.writeUInt16BE(1, 4)),
    altered((token) => token.writeUInt16BE(28, 6)),
    wrapToken('PLAIN', 16),
    wrapToken('PLAIN', 28).subarray(0, 20),
    Buffer.alloc(0),
  ];
  for (const token of wrong) assert.throws(() => splitWrapToken(token, 5), isAuth(/cannot seal/));
});

test('a user becomes a principal with its realm in capitals', () => {
  assert.equal(clientPrincipal(''), undefined);
  assert.equal(clientPrincipal('alice'), 'alice');
  assert.equal(clientPrincipal('alice@lab.test'), 'alice@LAB.TEST');
  assert.equal(clientPrincipal('lab.test\\alice'), 'alice@LAB.TEST');
  for (const user of ['LAB\\alice', '.\\alice']) assert.throws(() => clientPrincipal(user), isAuth(/has none/));
});

test('a service is searched under the names of WinRM, unless it is named', () => {
  assert.deepEqual(servicePrincipals({ serviceHost }), [
    'HTTP/win01.lab.test@',
    'WSMAN/win01.lab.test@',
    'HOST/win01.lab.test@',
  ]);
  assert.deepEqual(servicePrincipals({ serviceHost, servicePrincipal: 'WSMAN' }), ['WSMAN/win01.lab.test@']);
  assert.deepEqual(servicePrincipals({ serviceHost, servicePrincipal: 'HTTP/farm.lab.test' }), ['HTTP/farm.lab.test@']);
  assert.deepEqual(servicePrincipals({ serviceHost: '10.0.0.1', servicePrincipal: 'HTTP/farm@LAB.TEST' }), [
    'HTTP/farm@LAB.TEST',
  ]);
});

test('an address is no name for a service', () => {
  for (const address of ['10.0.0.1', 'fe80::1']) {
    assert.throws(() => servicePrincipals({ serviceHost: address }), isAuth(/is an address/));
  }
});

test('a password without a user is refused before anything is asked', async () => {
  const request = { user: '', password: 'x', serviceHost, isSealingRequired: true };
  const ports = { randomBytes: (size: number) => Buffer.alloc(size), now: () => 0 };
  await assert.rejects(openKerberos({ ...request, ...ports }), isAuth(/has a password but no user/));
});
