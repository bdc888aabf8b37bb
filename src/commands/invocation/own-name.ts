import { relative } from 'node:path';
import { shellWord } from '../../base/text.ts';

export interface OwnNameQuestion {
  /** The program's file: `dist/cli.js` of a package, or `src/cli.ts` of a source checkout. */
  readonly file: string;
  /** The folder that holds `dist` or `src`. */
  readonly root: string;
  /** The Node.js that runs it. */
  readonly execPath: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The words before a command's name, as they are typed to run this very program again with the same file names: `fettle`
 * for a package, else npm's script where npm or the folder allows it, see npm-run-script(1) on INIT_CWD.
 */
export function ownName({ file, root, execPath, cwd, env }: OwnNameQuestion): string {
  if (!file.endsWith('.ts')) return 'fettle';
  const startedIn = env['npm_lifecycle_event'] === undefined ? undefined : env['INIT_CWD'];
  if (startedIn !== undefined && cwd === root) {
    const isInside = startedIn === root || startedIn.startsWith(`${root}/`);
    return `npm ${isInside ? '' : `--prefix ${shellWord(root)} `}run fettle --`;
  }
  return cwd === root ? 'npm run fettle --' : `${shellWord(execPath)} ${shellWord(relative(cwd, file))}`;
}
