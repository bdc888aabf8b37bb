import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { clientFlags } from '../../../../src/transport/winrm/auth/ntlm-message.ts';
import { NtlmSealing } from '../../../../src/transport/winrm/auth/sealing.ts';
import type { SecurityContext } from '../../../../src/transport/winrm/auth/security-context.ts';
import {
  decodeFramed,
  encodeFramed,
  isSealed,
  sealBody,
  unsealBody,
} from '../../../../src/transport/winrm/auth/token-framing.ts';

const protocol = 'application/HTTP-SPNEGO-session-encrypted';
const contentType = `multipart/encrypted;protocol="${protocol}";boundary="Encrypted Boundary"`;
const message = {
  signature: Buffer.alloc(16, 0x5a),
  ciphertext: Buffer.from('\r\n--Encrypted Boundary--\r\n'),
  length: 26,
};

/** Only what framing needs of a login that is through. */
function contextOf(side: 'client' | 'server'): SecurityContext {
  const sealing = new NtlmSealing({ sessionKey: Buffer.alloc(16, 0x55), flags: clientFlags, side });
  return {
    scheme: 'Negotiate',
    sealingProtocol: protocol,
    isComplete: true,
    step: () => undefined,
    seal: (plain) => sealing.seal(plain),
    unseal: (sealed) => sealing.unseal(sealed),
    [Symbol.dispose]: () => sealing[Symbol.dispose](),
  };
}

function isParse(error: unknown): boolean {
  return error instanceof FettleError && error.code === 'parse';
}

/** A body as other services write it. */
function bodyOf(options: {
  delimiter?: string;
  indent?: string;
  length?: string;
  signature?: number;
  end?: string;
}): Buffer {
  const {
    delimiter = '--Encrypted Boundary',
    indent = '',
    length = 'Length=26',
    signature = 16,
    end = `${delimiter}--\r\n`,
  } = options;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(signature);
  const head =
    `${delimiter}\r\n${indent}Content-Type: ${protocol}\r\n` +
    `${indent}OriginalContent: type=application/soap+xml;charset=UTF-8;${length}\r\n` +
    `${delimiter}\r\n${indent}Content-Type: application/octet-stream\r\n`;
  return Buffer.concat([Buffer.from(head), size, message.signature, message.ciphertext, Buffer.from(end)]);
}

test('a sealed body is written byte for byte as the protocol has it, without tabs', () => {
  const { contentType: type, body } = sealBody(contextOf('client'), Buffer.from('Plaintext', 'utf16le'));
  assert.equal(type, contentType);
  assert.equal(
    body.toString('latin1'),
    '--Encrypted Boundary\r\n' +
      'Content-Type: application/HTTP-SPNEGO-session-encrypted\r\n' +
      'OriginalContent: type=application/soap+xml;charset=UTF-8;Length=18\r\n' +
      '--Encrypted Boundary\r\n' +
      'Content-Type: application/octet-stream\r\n' +
      Buffer.from(
        '10000000' + '010000007fb38ec5c55d497600000000' + '54e50165bf1936dc996020c1811b0f06fb5f',
        'hex',
      ).toString('latin1') +
      '--Encrypted Boundary--\r\n',
  );
});

test('what one end seals the other end reads', () => {
  const [client, server] = [contextOf('client'), contextOf('server')];
  for (const plain of ['', '<a/>', 'ä'.repeat(100_000), '\r\n--Encrypted Boundary--\r\n']) {
    const sent = sealBody(client, Buffer.from(plain));
    assert.equal(unsealBody(server, sent.contentType, sent.body).toString(), plain);
  }
});

test('tabs, blanks and other boundaries are read, and the boundary inside of the ciphertext is not taken for one', () => {
  const other = `multipart/encrypted; boundary=other; protocol=${protocol.toUpperCase()}`;
  const forms: readonly (readonly [type: string, body: Buffer])[] = [
    [contentType, bodyOf({})],
    [contentType, bodyOf({ indent: '\t' })],
    [contentType, bodyOf({ delimiter: '-- Encrypted Boundary' })],
    [contentType, bodyOf({ end: '--Encrypted Boundary--' })],
    [other, bodyOf({ delimiter: '--other' })],
    [`Multipart/Encrypted;protocol="${protocol}"`, bodyOf({})],
    [contentType, bodyOf({ length: 'length=26; charset=x' })],
  ];
  for (const [type, body] of forms) assert.deepEqual(decodeFramed(type, body, protocol), message);
});

test('a body that is not whole or lies about a length is refused', () => {
  const whole = bodyOf({});
  const forms: readonly (readonly [type: string, body: Buffer])[] = [
    [contentType, bodyOf({ length: 'Length=25' })],
    [contentType, bodyOf({ length: 'Length=27' })],
    [contentType, bodyOf({ length: 'Length=9999999999' })],
    [contentType, bodyOf({ length: 'Length=-1' })],
    [contentType, bodyOf({ length: 'Width=26' })],
    [contentType, bodyOf({ signature: 15 })],
    [contentType, bodyOf({ signature: 0xffff_ffff })],
    [contentType, bodyOf({ end: '--Encrypted Boundary\r\n' })],
    [contentType, bodyOf({ end: '' })],
    [contentType, bodyOf({ delimiter: '--Other' })],
    [contentType, bodyOf({ indent: 'X-Pad: 1\r\n'.repeat(9) })],
    [contentType, bodyOf({ indent: ' '.repeat(2000) })],
    [contentType, Buffer.concat([whole, whole])],
    ['application/soap+xml', whole],
    ['multipart/encrypted', whole],
    [contentType.replace('SPNEGO', 'CredSSP'), whole],
    ...Array.from({ length: whole.length - 2 }, (_, size) => [contentType, whole.subarray(0, size)] as const),
  ];
  for (const [type, body] of forms) assert.throws(() => decodeFramed(type, body, protocol), isParse);
});

test('a plain text of another length than declared is refused', () => {
  const padding: SecurityContext = { ...contextOf('client'), unseal: () => Buffer.alloc(25) };
  assert.throws(() => unsealBody(padding, contentType, bodyOf({})), isParse);
});

test('a message that does not verify is not given away', () => {
  const body = encodeFramed(message, protocol);
  assert.throws(
    () => unsealBody(contextOf('client'), contentType, body),
    (error) => error instanceof FettleError && error.code === 'lost',
  );
});

test('a sealed body is recognised by its type', () => {
  assert.ok(isSealed(contentType));
  assert.ok(isSealed('MULTIPART/ENCRYPTED ; boundary=x'));
  assert.ok(!isSealed('application/soap+xml;charset=UTF-8'));
  assert.ok(!isSealed('multipart/encrypted-not'));
  assert.ok(!isSealed(''));
});
