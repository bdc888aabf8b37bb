import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFrame, parseFrameBytes } from '../../src/remote/frame.ts';

const whole = '\x1eFETTLE ab12 begin\n\n\x1eab12 user\n0\troot\n\n\x1eab12 empty\n\n\x1eab12 log\nx\n\n\x1eab12 end\n';

describe('a framed answer', () => {
  test('gives its sections by name, an empty one too', () => {
    const sections = parseFrame(Buffer.from(whole));
    assert.deepEqual(
      [...sections],
      [
        ['user', '0\troot\n'],
        ['empty', ''],
        ['log', 'x\n'],
      ],
    );
  });

  test('reads the same with a banner before it and a farewell after it', () => {
    const noisy = `Welcome to web01!\nLast login: today\n${whole}logout\n\x1eab12 more\n`;
    assert.deepEqual(parseFrame(Buffer.from(noisy)), parseFrame(Buffer.from(whole)));
  });

  test('keeps every byte of a section, whatever its form', () => {
    const bytes = Buffer.from([0, 255, 10, 30, 10, 30, 97, 10]);
    const answer = Buffer.concat([
      Buffer.from('\x1eFETTLE ab12 begin\n\n\x1eab12 log\n'),
      bytes,
      Buffer.from('\n\x1eab12 end\n'),
    ]);
    assert.deepEqual(parseFrameBytes(answer).get('log'), bytes);
  });

  test('shows no control character as text', () => {
    const answer = Buffer.from('\x1eFETTLE ab12 begin\n\n\x1eab12 name\na\x1b[2Jb\x00c\u009bd\te\n\n\x1eab12 end\n');
    assert.equal(parseFrame(answer).get('name'), 'a\ufffd[2Jb\ufffdc\ufffdd\te\n');
  });

  const bad: readonly [what: string, answer: string, why: RegExp][] = [
    ['is empty', '', /no FETTLE frame found/],
    ['is only a banner', 'This account is currently not available.\n', /no FETTLE frame found/],
    [
      'begins with an improper mark',
      '\x1eFETTLE a;b begin\n\n\x1ea;b end\n',
      /the start of its FETTLE frame is invalid/,
    ],
    ['ends inside its first line', '\x1eFETTLE ab12 begin', /the start of its FETTLE frame is invalid/],
    ['has a section twice', whole.replace('\x1eab12 log', '\x1eab12 user'), /section user appears twice/],
    ['has a section without a proper name', whole.replace('\x1eab12 log', '\x1eab12 ../log'), /has an invalid name/],
    ['has a control character in a name', whole.replace('\x1eab12 log', '\x1eab12 l\x1bog'), /has an invalid name/],
    ['is mixed with another of the same mark', whole.replace('x\n', '\x1eFETTLE ab12 begin\n'), /two answers/],
  ];
  for (const [what, answer, why] of bad) {
    test(`that ${what} is an error that names it`, () => {
      assert.throws(() => parseFrame(Buffer.from(answer)), { code: 'parse', message: why });
    });
  }

  test('that was cut off at any byte is never read', () => {
    // From the end of the first line on; what comes after the last line is of no interest.
    for (let length = whole.indexOf('\n') + 1; length < whole.length - 1; length += 1) {
      assert.throws(() => parseFrame(Buffer.from(whole.slice(0, length))), { code: 'parse' }, `cut at ${length}`);
    }
  });

  test('shows the output of the host instead, without its control characters', () => {
    assert.throws(
      () => parseFrame(Buffer.from('\x1b]0;owned\x07go away')),
      (error: unknown) =>
        error instanceof Error && 'details' in error && !/\p{Cc}/u.test(JSON.stringify(error.details)),
    );
  });

  test('with a section beyond all measure is refused', () => {
    const huge = Buffer.alloc(16 * 1024 * 1024 + 1, 'x');
    const answer = Buffer.concat([
      Buffer.from('\x1eFETTLE ab12 begin\n\n\x1eab12 log\n'),
      huge,
      Buffer.from('\n\x1eab12 end\n'),
    ]);
    assert.throws(() => parseFrame(answer), { code: 'parse', message: /section log is too large/ });
  });
});
