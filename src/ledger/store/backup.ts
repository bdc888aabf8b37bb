import { closeSync, openSync, rmSync } from 'node:fs';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';
import type { Connection } from './sqlite.ts';

/** A whole copy while others write, for its owner alone from the first byte. An existing file is never written over. */
export function backup(connection: Connection, target: string): void {
  reserve(target);
  try {
    // Into a file that is there and empty, see https://sqlite.org/lang_vacuum.html.
    connection.prepare('VACUUM INTO ?').run(target);
  } catch (cause) {
    rmSync(target, { force: true });
    throw cause;
  }
}

function reserve(target: string): void {
  try {
    closeSync(openSync(target, 'wx', 0o600));
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    throw new FettleError(
      isThere ? 'usage' : 'disk',
      `${target} ${isThere ? 'already exists' : `cannot be created: ${fileProblem(cause)}`}`,
      {
        hint: 'use a new file in a directory that this account may write to',
        cause,
      },
    );
  }
}
