// What would otherwise fail after the work: checked before any host is contacted.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FettleError } from '../../domain/error.ts';

/** A file that shall be written at the end: it, or its directory, can be written now. */
export async function checkWritable(path: string, flag: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const problem =
    found?.isDirectory() === true
      ? 'it is a directory'
      : await access(found === undefined ? dirname(path) : path, constants.W_OK).then(
          () => undefined,
          (error: unknown) => reasonOf(error as NodeJS.ErrnoException),
        );
  if (problem === undefined) return;
  throw new FettleError('usage', `${flag} ${path} cannot be written: ${problem}`, {
    hint: `name another file with ${flag}`,
  });
}

function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  return reasons[code] ?? message;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is no directory',
};
