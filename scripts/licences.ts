import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** As npm had it before. */
  readonly licenses?: readonly { readonly type: string }[];
}

/** The folder of the package that a file belongs to; undefined for a file of no package. */
function packageOf(file: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/**
 * The licence of every package that the files belong to, with its text, as most licences demand of copies.
 * @throws Error for a package that has no such text.
 */
export function licences(files: readonly string[]): string {
  const folders = new Set(files.flatMap((file) => packageOf(file) ?? []));
  const packages = [...folders].map((folder) => ({
    ...(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest),
    text: textOf(folder),
  }));
  packages.sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version));
  const parts = packages.map(
    ({ name, version, license, licenses = [], text }) =>
      `${'='.repeat(80)}\n${name} ${version} (${license ?? licenses.map(({ type }) => type).join(', ')})\n\n${text.trim()}\n`,
  );
  return `The files of this folder contain code of these packages, each under its own licence.\n\n${parts.join('\n')}`;
}

function textOf(folder: string): string {
  const files = globSync('*', { cwd: folder }).filter((name) => /^(?:licen[cs]e|copying)(?:[.-].*)?$/i.test(name));
  if (files.length === 0) throw new Error(`${folder} has no licence text: what is bundled needs one`);
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
}
