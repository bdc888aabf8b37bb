import assert from 'node:assert/strict';
import { chmod, chown, mkdir, rename } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { readSecret } from '../../../src/config/host/secret-source.ts';
import { filesWith } from '../files.ts';

const uid = process.getuid?.() ?? 0;
const reader = { owners: [uid], env: { PATH: process.env['PATH'] } };

describe('a secret', () => {
  const good: readonly [title: string, content: string, mode: number, expected: string][] = [
    ['is the first line of a file', 'planted \nmore\n', 0o600, 'planted '],
    ['is read without the line end of Windows', 'planted\r\n', 0o400, 'planted'],
    ['is what a program prints first', '#!/bin/sh\necho planted; echo more\n', 0o755, 'planted'],
  ];
  for (const [title, content, mode, expected] of good) {
    test(title, async () => {
      await using files = await filesWith({ secret: content });
      await chmod(files.path('secret'), mode);
      const secret = await readSecret(files.path('secret'), reader);
      assert.equal(secret.reveal(), expected);
    });
  }

  const bad: readonly [title: string, content: string, mode: number, message: RegExp][] = [
    ['that the group may read', 'planted', 0o640, /can be read by others \(mode 0640\)/],
    ['that everyone may read', 'planted', 0o604, /can be read by others/],
    ['from a program that others may write', '#!/bin/sh\necho planted\n', 0o722, /can be written by others/],
    ['that is empty', '\nplanted\n', 0o600, /has an empty first line/],
    ['from a program that fails', '#!/bin/sh\necho planted; echo planted >&2; exit 3\n', 0o700, /ended with exit 3/],
    ['from a program that does not start', '#!/nonexistent\n', 0o700, /it failed \(ENOENT\)/],
  ];
  for (const [title, content, mode, message] of bad) {
    test(`${title} is refused without showing it`, async () => {
      await using files = await filesWith({ secret: content });
      await chmod(files.path('secret'), mode);
      await assert.rejects(readSecret(files.path('secret'), reader), (error: Error & { code: string }) => {
        assert.equal(error.code, 'secret');
        assert.match(error.message, message);
        assert.doesNotMatch(inspect(error), /planted/);
        return true;
      });
    });
  }

  test('in a file that is not there, or a directory, is refused', async () => {
    await using files = await filesWith({});
    await mkdir(files.path('d'));
    await assert.rejects(readSecret(files.path('x'), reader), { code: 'secret', message: /no such file/ });
    await assert.rejects(readSecret(files.path('d'), reader), { code: 'secret', message: /is a directory/ });
  });

  for (const [what, content, mode] of [
    ['file', 'planted\n', 0o600],
    ['program', '#!/bin/sh\necho planted\n', 0o700],
  ] as const) {
    const skip = uid === 0 ? false : 'needs root to give a file away';
    test(`from a ${what} of another user is refused, and the message names owner and remedy`, { skip }, async () => {
      await using files = await filesWith({ secret: content });
      await chmod(files.path('secret'), mode);
      await chown(files.path('secret'), 65_534, 65_534);
      await assert.rejects(readSecret(files.path('secret'), reader), {
        code: 'secret',
        message: /others could have written .*: it belongs to another user \(uid 65534\)/,
        hint: /chown/,
      });
    });

    test(`from a ${what} below a directory that everyone may write to is refused`, async () => {
      await using files = await filesWith({ secret: content });
      await chmod(files.path('secret'), mode);
      await mkdir(files.path('open'));
      await chmod(files.path('open'), 0o777);
      await rename(files.path('secret'), files.path('open/secret'));
      await assert.rejects(readSecret(files.path('open/secret'), reader), {
        code: 'secret',
        message: /open can be written by everyone \(mode 0777\)/,
        hint: /chmod go-w/,
      });
    });
  }
});
