// What would otherwise fail after the work: checked before any host is contacted.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';

/** A file that shall be written at the end: it, or its directory, can be written now. */
export async function checkWritable(path: string, flag: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const problem =
    found?.isDirectory() === true
      ? 'it is a directory'
      : await access(found === undefined ? dirname(path) : path, constants.W_OK).then(
          () => undefined,
          (error: unknown) => (isAbsent(error) ? 'its directory does not exist' : fileProblem(error)),
        );
  if (problem === undefined) return;
  throw new FettleError('usage', `${flag} ${path} cannot be written: ${problem}`, {
    hint: `name another file with ${flag}`,
  });
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
