// Passwords from files and from programs that print them.
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';
import { Secret } from '../../domain/secret.ts';
import { distrustOfFile } from '../../trust/trusted-path.ts';

const limitBytes = 64 * 1024;
const programTimeoutMs = 60_000;
const run = promisify(execFile);

/** Whose files are believed, and what a program finds in its environment. */
export interface SecretReader {
  readonly owners: readonly number[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The first line of the file, or of what it prints when it is executable. A file that others may read, and a file or
 * program that others may have written, also by a directory above it, is refused: `FettleError('secret')`.
 */
export async function readSecret(path: string, { owners, env }: SecretReader): Promise<Secret> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new FettleError('secret', `the password file ${path} cannot be opened: ${fileProblem(cause)}`, { cause });
  });
  if (found.isDirectory()) throw new FettleError('secret', `the password file ${path} is a directory`);
  const isProgram = found.isFile() && (found.mode & 0o100) !== 0;
  if (found.isFile()) {
    refuseOpenFile(path, found.mode, isProgram);
    refuseForeignFile(path, owners, isProgram);
  }
  const text = isProgram ? await printed(path, env) : await content(path);
  const line = /^[^\r\n]*/.exec(text.replace(/^\uFEFF/, ''))?.[0] ?? '';
  if (line === '') throw new FettleError('secret', `the password file ${path} has an empty first line`);
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

function refuseForeignFile(path: string, owners: readonly number[], isProgram: boolean): void {
  const distrust = distrustOfFile(path, { owners });
  if (distrust === undefined) return;
  const what = isProgram ? 'password program' : 'password file';
  const where = distrust.path === path ? 'it' : distrust.path;
  const [command, object] = distrust.reason.startsWith('belongs')
    ? ['chown "$(id -un)"', 'its owner']
    : ['chmod go-w', 'its mode'];
  throw new FettleError('secret', `others could have written the ${what} ${path}: ${where} ${distrust.reason}`, {
    hint: `correct ${object} with: ${command} ${distrust.path}; or move it to a directory of your own`,
  });
}

async function content(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new FettleError('secret', `the password file ${path} cannot be opened: ${fileProblem(cause)}`, { cause });
  }
}

/** What the program printed is never in an error: it may hold the password. */
async function printed(path: string, env: SecretReader['env']): Promise<string> {
  try {
    const { stdout } = await run(path, [], {
      timeout: programTimeoutMs,
      maxBuffer: limitBytes,
      encoding: 'utf8',
      env: { ...env },
    });
    return stdout;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const how =
      typeof code === 'number'
        ? `it ended with exit ${code}`
        : `it failed (${typeof code === 'string' ? code : 'by a signal'})`;
    throw new FettleError('secret', `the password program ${path} gave no password: ${how}`, {
      hint: 'run it by hand to find the cause',
    });
  }
}
