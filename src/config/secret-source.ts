// Passwords from files and from programs that print them.
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { FettleError } from '../domain/error.ts';
import { Secret } from '../domain/secret.ts';
import { reasonOf } from './yaml.ts';

const limitBytes = 64 * 1024;
const programTimeoutMs = 60_000;
const run = promisify(execFile);

/**
 * The first line of the file, or of what it prints when it is executable. A file that others may read, or a program
 * that others may write, is refused: `FettleError('secret')`.
 */
export async function readSecret(path: string): Promise<Secret> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new FettleError('secret', `the password file ${path} cannot be read: ${reasonOf(cause)}`, { cause });
  });
  if (found.isDirectory()) throw new FettleError('secret', `the password file ${path} is a directory`);
  const isProgram = found.isFile() && (found.mode & 0o100) !== 0;
  if (found.isFile()) refuseOpenFile(path, found.mode, isProgram);
  const text = isProgram ? await printed(path) : await content(path);
  const line = /^[^\r\n]*/.exec(text.replace(/^\uFEFF/, ''))?.[0] ?? '';
  if (line === '') throw new FettleError('secret', `the password file ${path} gives nothing in its first line`);
  return new Secret(line);
}

function refuseOpenFile(path: string, mode: number, isProgram: boolean): void {
  if ((mode & (isProgram ? 0o022 : 0o077)) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  const what = isProgram ? 'written by others' : 'read by others';
  throw new FettleError('secret', `the password file ${path} can be ${what} (mode ${shown})`, {
    hint: isProgram ? `chmod go-w ${path}` : `chmod 600 ${path}`,
  });
}

async function content(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new FettleError('secret', `the password file ${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** What the program printed is never in an error: it may hold the password. */
async function printed(path: string): Promise<string> {
  try {
    const { stdout } = await run(path, [], { timeout: programTimeoutMs, maxBuffer: limitBytes, encoding: 'utf8' });
    return stdout;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const how =
      typeof code === 'number'
        ? `it ended with exit ${code}`
        : `it failed (${typeof code === 'string' ? code : 'by a signal'})`;
    throw new FettleError('secret', `the password program ${path} gave no password: ${how}`, {
      hint: 'run it by hand to see why',
    });
  }
}
