import assert from 'node:assert/strict';
import { chmod, mkdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { readSecret } from '../../src/config/secret-source.ts';
import { filesWith } from './files.ts';

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
      const secret = await readSecret(files.path('secret'));
      assert.equal(secret.reveal(), expected);
    });
  }

  const bad: readonly [title: string, content: string, mode: number, message: RegExp][] = [
    ['that the group may read', 'planted', 0o640, /can be read by others \(mode 0640\)/],
    ['that everyone may read', 'planted', 0o604, /can be read by others/],
    ['from a program that others may write', '#!/bin/sh\necho planted\n', 0o722, /can be written by others/],
    ['that is empty', '\nplanted\n', 0o600, /gives nothing in its first line/],
    ['from a program that fails', '#!/bin/sh\necho planted; echo planted >&2; exit 3\n', 0o700, /ended with exit 3/],
    ['from a program that does not start', '#!/nonexistent\n', 0o700, /it failed \(ENOENT\)/],
  ];
  for (const [title, content, mode, message] of bad) {
    test(`${title} is refused without showing it`, async () => {
      await using files = await filesWith({ secret: content });
      await chmod(files.path('secret'), mode);
      await assert.rejects(readSecret(files.path('secret')), (error: Error & { code: string }) => {
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
    await assert.rejects(readSecret(files.path('x')), { code: 'secret', message: /no such file/ });
    await assert.rejects(readSecret(files.path('d')), { code: 'secret', message: /is a directory/ });
  });
});
