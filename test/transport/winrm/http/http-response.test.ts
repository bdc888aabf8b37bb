import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { ResponseReader, type HttpResponse } from '../../../../src/transport/winrm/http/http-response.ts';
import { mutations, pieces, randomBuffer, seeded } from '../fuzz.ts';

function read(text: string | Buffer): HttpResponse | undefined {
  const reader = new ResponseReader();
  return reader.take(Buffer.from(text)) ?? reader.end();
}

function refused(text: string, words: RegExp): void {
  assert.throws(
    () => read(text),
    (error: unknown) => error instanceof FettleError && error.code === 'parse' && words.test(error.message),
    text.slice(0, 80),
  );
}

const sized = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';
const chunked =
  'HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\nWWW-Authenticate: Negotiate\r\nwww-authenticate: Basic\r\n\r\n' +
  '3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n';

describe('an HTTP response', () => {
  test('ends at its length', () => {
    const response = read(sized);
    assert.equal(response?.status, 200);
    assert.equal(response.body.toString(), 'hello');
    assert.equal(response.headers.first('content-type'), 'text/plain');
    assert.equal(response.isLast, false);
  });

  test('comes in chunks with extensions and trailers, and fields may repeat', () => {
    const response = read(chunked);
    assert.equal(response?.status, 500);
    assert.equal(response.body.toString(), 'hello');
    assert.deepEqual(response.headers.all('www-authenticate'), ['Negotiate', 'Basic']);
  });

  test('reads the same in whatever pieces it comes', () => {
    const random = seeded(2);
    for (const whole of [sized, chunked]) {
      for (let round = 0; round < 200; round += 1) {
        const reader = new ResponseReader();
        const answers = pieces(random, Buffer.from(whole), 7).map((piece) => reader.take(piece));
        assert.equal(answers.at(-1)?.body.toString(), 'hello');
        assert.ok(answers.slice(0, -1).every((answer) => answer === undefined));
      }
    }
  });

  test('ends with the connection where it has no length, and is then the last', () => {
    const response = read('HTTP/1.1 400 Bad Request\r\n\r\nwhy');
    assert.deepEqual([response?.body.toString(), response?.isLast], ['why', true]);
  });

  test('is the last where the host announces it or uses HTTP/1.0', () => {
    assert.equal(read('HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')?.isLast, true);
    assert.equal(read('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n')?.isLast, true);
  });

  test('that more follows on unasked is the last: the rest cannot be assigned to a request', () => {
    assert.deepEqual([read(`${sized}HTTP`)?.body.toString(), read(`${sized}HTTP`)?.isLast], ['hello', true]);
  });

  test('follows interim ones', () => {
    assert.equal(read(`HTTP/1.1 100 Continue\r\n\r\n${sized}`)?.body.toString(), 'hello');
  });

  test('is not there before it is complete', () => {
    assert.equal(read(sized.slice(0, -1)), undefined);
    assert.equal(read(chunked.slice(0, -1)), undefined);
  });

  test('with contradicting or unknown lengths is refused', () => {
    refused('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', /more than one length/);
    refused('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', /transfer coding/);
    refused('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', /transfer coding/);
    refused('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', /length is not a number/);
    refused('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', /size of a chunk/);
    refused('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc', /longer than declared/);
  });

  test('that is too long anywhere is refused before it is kept', () => {
    refused('HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n', /body is too long/);
    refused('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n900000\r\n', /body is too long/);
    refused(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(40_000)}`, /head is too long/);
    refused(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(101)}\r\n`, /too many header fields/);
    refused(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(200_000)}`,
      /framing is larger than its body/,
    );
    refused('HTTP/1.1 100 Continue\r\n\r\n'.repeat(30_000), /framing is larger than its body/);
    refused(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(9_000_000)}`, /body is too long/);
  });

  test('that is something else is reported at once', () => {
    refused('SSH-2.0-OpenSSH', /does not start like one/);
    refused('HTTP/2 200', /does not start like one/);
    refused('\u0015\u0003\u0001', /it is TLS/);
    refused('HTTP/1.1 200 OK\r\nno colon\r\n\r\n', /malformed/);
    refused('HTTP/1.1 200 OK\r\n folded: x\r\n\r\n', /malformed/);
  });

  test('made of any bytes is either read, unfinished or refused', () => {
    const random = seeded(3);
    const check = (bytes: Buffer): void => {
      const reader = new ResponseReader();
      try {
        for (const piece of pieces(random, bytes, 40)) if (reader.take(piece) !== undefined) return;
        reader.end();
      } catch (error) {
        assert.ok(error instanceof FettleError && error.code === 'parse', String(error));
      }
    };
    for (let round = 0; round < 2_000; round += 1) check(randomBuffer(random, 80));
    for (const sample of [sized, chunked])
      for (const bytes of mutations(random, Buffer.from(sample), 3_000)) check(bytes);
  });
});
