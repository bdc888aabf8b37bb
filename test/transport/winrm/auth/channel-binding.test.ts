import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import {
  bindingHash,
  channelBindingHash,
  tlsServerEndPoint,
} from '../../../../src/transport/winrm/auth/channel-binding.ts';
import { makeCertificate } from '../../../support/winrm-server/certificate.ts';

const prefix = Buffer.from('tls-server-end-point:');
const sha256Oid = '0609608648016503040201';
const pssOid = '06092a864886f70d01010a';

function element(tag: string, ...parts: readonly string[]): string {
  const content = parts.join('');
  return `${tag}${(content.length / 2).toString(16).padStart(2, '0')}${content}`;
}

/** The shape of a certificate around one signature algorithm: identifier and parameters. */
function certificateOf(...algorithm: readonly string[]): Buffer {
  return Buffer.from(element('30', element('30', '020101'), element('30', ...algorithm), '03020000'), 'hex');
}

test('bindings of known certificate hashes are the known ones', () => {
  const known: readonly (readonly [hash: string, binding: string])[] = [
    ['ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95', '6586e99d81c2fc984e47172fd4dd0310'],
    ['00'.repeat(32), 'c9ec5cb29e8f57f7ee6429cde733efeb'],
  ];
  for (const [hash, binding] of known) {
    assert.equal(channelBindingHash(Buffer.concat([prefix, Buffer.from(hash, 'hex')])).toString('hex'), binding);
  }
});

test('a certificate is hashed by the algorithm of its own signature', () => {
  for (const keyType of ['p256', 'rsa', 'rsa-pss'] as const) {
    for (const digest of ['sha256', 'sha384', 'sha512'] as const) {
      const { der } = makeCertificate({ keyType, digest });
      const hash = createHash(digest).update(der).digest();
      assert.deepEqual(tlsServerEndPoint(der), Buffer.concat([prefix, hash]), `${keyType} ${digest}`);
    }
  }
});

test('a signature by SHA-1 or MD5 binds by SHA-256', () => {
  assert.equal(bindingHash(makeCertificate({ digest: 'sha1' }).der), 'sha256');
  assert.equal(bindingHash(certificateOf('06092a864886f70d010104', '0500')), 'sha256');
});

test('an algorithm without a hash of its own binds by SHA-256', () => {
  assert.equal(bindingHash(certificateOf('06032b6570')), 'sha256');
  assert.equal(bindingHash(certificateOf('0600')), 'sha256');
});

test('RSASSA-PSS without parameters, or without a hash in them, binds by SHA-256', () => {
  assert.equal(bindingHash(certificateOf(pssOid)), 'sha256');
  assert.equal(bindingHash(certificateOf(pssOid, '3000')), 'sha256');
  assert.equal(bindingHash(certificateOf(pssOid, element('30', element('a2', '020120')))), 'sha256');
  const sha256 = element('30', element('a0', element('30', sha256Oid)));
  assert.equal(bindingHash(certificateOf(pssOid, sha256)), 'sha256');
});

test('what is no certificate is refused', () => {
  const { der } = makeCertificate();
  const broken: readonly Buffer[] = [
    Buffer.alloc(0),
    Buffer.from('30', 'hex'),
    der.subarray(0, der.length - 1),
    der.subarray(1),
  ];
  for (const bytes of broken) {
    assert.throws(
      () => tlsServerEndPoint(bytes),
      (error) => error instanceof FettleError && error.code === 'parse',
    );
  }
});
