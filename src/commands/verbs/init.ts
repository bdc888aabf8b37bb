import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { scaffoldFiles } from '../../config/playbook/scaffold.ts';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { makeDirectory } from '../../trust/trusted-path.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';

interface InitRequest {
  /** Absolute. */
  readonly directory: string;
  readonly force: boolean;
}

export function read({ arguments: [directory = '.'], options }: Invocation, { cwd }: ReadContext): InitRequest {
  return { directory: resolve(cwd, directory), force: options.force ?? false };
}

/** Writes the starter files; never overwrites without `--force`. */
export async function run({ directory, force }: InitRequest, context: Context): Promise<ExitName> {
  try {
    makeDirectory(directory, 0o755);
  } catch (cause) {
    throw new FettleError('usage', `the directory ${directory} cannot be created: ${fileProblem(cause)}`, {
      hint: 'name another directory',
      cause,
    });
  }
  for (const { path, text } of scaffoldFiles()) {
    const file = join(directory, path);
    try {
      await writeFile(file, text, { flag: force ? 'w' : 'wx' });
    } catch (cause) {
      const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
      throw new FettleError(
        'usage',
        exists ? `${file} already exists` : `${file} cannot be written: ${fileProblem(cause)}`,
        {
          hint: exists
            ? 'use --force to overwrite it, or name another directory'
            : 'check the directory and its permissions',
          cause,
        },
      );
    }
    context.console.message(`wrote ${file}`);
  }
  context.console.message('next: edit inventory.yaml, then run: fettle ping -i inventory.yaml');
  return 'ok';
}
