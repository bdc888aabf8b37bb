// Where `-o` writes a plan.
import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isPlanText } from '../../config/plan/file.ts';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';
import type { Context } from '../invocation/context.ts';
import { inDirectory } from '../invocation/request.ts';
import type { MadePlan } from './planning.ts';

export interface PlanFile {
  /** All of it or nothing: the plan that was there stays until the new one is whole on the disk. */
  write(made: MadePlan): Promise<void>;
}

/**
 * Checks the file a plan is to be written to, before any host is contacted. An older plan is replaced, with a message;
 * any other file is refused. Throws `FettleError('usage')`.
 */
export async function openPlanFile(file: string, context: Context): Promise<PlanFile> {
  const path = await followLinks(inDirectory(file, context));
  const kind = await kindOf(path);
  if (kind === 'other') {
    throw new FettleError('usage', `${path} exists and is not a plan, so it is not overwritten`, {
      hint: 'name another file with -o',
    });
  }
  return {
    write: async ({ bytes }) => {
      try {
        // A pipe or a device cannot be replaced.
        if (kind === 'special') await writeFile(path, bytes);
        else await replace(path, bytes);
      } catch (cause) {
        throw new FettleError('disk', `the plan cannot be written to ${path}: ${fileProblem(cause)}`, {
          hint: 'free disk space, or name another file with -o; the plan is in the ledger',
          cause,
        });
      }
      if (kind === 'plan') context.console.message(`${path}: replaced an older plan`);
    },
  };
}

async function followLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

async function kindOf(path: string): Promise<'none' | 'plan' | 'special' | 'other'> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'none';
  if (found.isDirectory()) return 'other';
  if (!found.isFile()) return 'special';
  if (found.size === 0) return 'none';
  await using file = await open(path, 'r').catch((cause: unknown) => {
    throw new FettleError('usage', `${path} exists and cannot be opened: ${fileProblem(cause)}`, {
      hint: 'name another file with -o',
      cause,
    });
  });
  const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
  return isPlanText(buffer.toString('latin1', 0, bytesRead)) ? 'plan' : 'other';
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const next = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(next, bytes, { flag: 'wx', flush: true });
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
