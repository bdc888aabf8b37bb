import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { decodeOid, readDer, readDerAs } from '../../../../src/transport/winrm/auth/der.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function isParse(error: unknown): boolean {
  return error instanceof FettleError && error.code === 'parse';
}

test('an element ends by its length, and the rest follows', () => {
  assert.deepEqual(readDer(bytes('04020102ff')), { element: { tag: 4, content: bytes('0102') }, rest: bytes('ff') });
  assert.deepEqual(readDer(bytes('0500')), { element: { tag: 5, content: bytes('') }, rest: bytes('') });
  const long = Buffer.concat([bytes('0482012c'), Buffer.alloc(300, 1)]);
  assert.equal(readDer(long).element.content.length, 300);
});

test('a length that is not there, endless or absurd is refused', () => {
  for (const hex of [
    '',
    '30',
    '3001',
    '3080',
    '3081',
    '30820101',
    '3084ffffffff',
    '3085010000000000',
    '30ff',
    '1f0100',
  ]) {
    assert.throws(() => readDer(bytes(hex)), isParse, hex);
  }
});

test('another tag than the one that is due is refused', () => {
  assert.throws(() => readDerAs(0x30, bytes('0500')), isParse);
});

test('object identifiers read as dotted numbers', () => {
  assert.equal(decodeOid(bytes('2a864886f70d01010b')), '1.2.840.113549.1.1.11');
  assert.equal(decodeOid(bytes('2b6570')), '1.3.101.112');
  assert.equal(decodeOid(bytes('608648016503040202')), '2.16.840.1.101.3.4.2.2');
  assert.equal(decodeOid(bytes('883703')), '2.999.3');
  assert.equal(decodeOid(bytes('')), '');
});

test('an object identifier with an arc without end is refused', () => {
  assert.throws(() => decodeOid(Buffer.alloc(20, 0xff)), isParse);
});
