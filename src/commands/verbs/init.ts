import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { scaffoldFiles } from '../../config/playbook/scaffold.ts';
import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { makeDirectory } from '../../trust/trusted-path.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';

/** Writes the starter files; never overwrites without `--force`. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const directory = resolve(context.cwd, invocation.arguments[0] ?? '.');
  try {
    makeDirectory(directory, 0o755);
  } catch (cause) {
    throw new FettleError('usage', `the directory ${directory} cannot be made`, {
      hint: 'name another directory',
      cause,
    });
  }
  for (const { path, text } of scaffoldFiles()) {
    const file = join(directory, path);
    try {
      await writeFile(file, text, { flag: invocation.options.force === true ? 'w' : 'wx' });
    } catch (cause) {
      const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
      throw new FettleError('usage', exists ? `${file} exists already` : `cannot write ${file}`, {
        hint: exists
          ? 'use --force to overwrite it, or name another directory'
          : 'check the directory and its permissions',
        cause,
      });
    }
    context.console.message(`wrote ${file}`);
  }
  context.console.message('next: edit inventory.yaml, then run: fettle ping -i inventory.yaml');
  return 'ok';
}
