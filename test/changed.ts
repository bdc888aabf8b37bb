// Which test files a change touches: those that reach a changed file by what they import, start or name.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const sourceGlobs = ['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts'];

/** Files that every test depends on. */
const foundations = new Set(['package.json', 'package-lock.json', 'tsconfig.json']);

/** Text of each source file by its path from the root. */
export type Sources = ReadonlyMap<string, string>;

export function readSources(root: string): Sources {
  const paths = sourceGlobs.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/**
 * Paths that differ from where the branch left `base`, untracked files included and deleted ones too.
 * @throws Error when git does not know `base`.
 */
export function changedFiles(root: string, base: string): readonly string[] {
  const git = (...words: string[]): string => execFileSync('git', words, { cwd: root, encoding: 'utf8' });
  const from = git('merge-base', base, 'HEAD').trim();
  const listed = git('diff', '--name-only', '-z', from) + git('ls-files', '--others', '--exclude-standard', '-z');
  return [...new Set(listed.split('\0').filter((path) => path !== ''))].sort();
}

/** Test files, in the order of their paths, that depend on one of the changed files. */
export function affectedTests(changed: readonly string[], sources: Sources): readonly string[] {
  const tests = [...sources.keys()].filter((path) => path.endsWith('.test.ts'));
  if (changed.some((path) => foundations.has(path))) return tests;
  const dependents = dependentsOf(sources);
  const reached = new Set<string>(changed);
  for (const path of changed)
    if (!path.endsWith('.ts')) for (const namer of namersOf(path, sources)) reached.add(namer);
  const queue = [...reached];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    for (const dependent of dependents.get(path) ?? []) {
      if (reached.has(dependent)) continue;
      reached.add(dependent);
      queue.push(dependent);
    }
  }
  return tests.filter((path) => reached.has(path));
}

/** For each source file the files with a literal that names it: an import, a worker, or a program that is started. */
function dependentsOf(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const [path, text] of sources) {
    for (const [, literal = ''] of text.matchAll(/['"`]([^'"`\n]{1,200}\.ts)['"`]/g)) {
      for (const target of [join(dirname(path), literal), join(literal)]) {
        if (!sources.has(target)) continue;
        const known = dependents.get(target);
        if (known === undefined) dependents.set(target, [path]);
        else known.push(path);
      }
    }
  }
  return dependents;
}

/** Scripts and documents are read by name, PowerShell scripts without their ending, data of tests by their folders. */
function namersOf(path: string, sources: Sources): readonly string[] {
  const folders = path.startsWith('test/') ? ancestorsOf(path).filter((folder) => folder.split('/').length > 2) : [];
  return [...sources]
    .filter(([namer, text]) => readsByName(namer, text, path) || folders.some((folder) => reads(namer, text, folder)))
    .map(([namer]) => namer);
}

function readsByName(namer: string, text: string, path: string): boolean {
  const name = basename(path);
  const isFound = name.includes('.') || dirname(namer) === dirname(path);
  if (isFound && hasLiteral(text, name)) return true;
  return path.endsWith('.ps1') && namer.startsWith('src/remote/') && hasLiteral(text, basename(path, '.ps1'));
}

/** A folder is read from beside it, or by its name and that of the folder around it. */
function reads(namer: string, text: string, folder: string): boolean {
  if (!namer.startsWith('test/')) return false;
  const around = dirname(folder);
  return hasLiteral(text, basename(folder)) && (dirname(namer) === around || hasLiteral(text, basename(around)));
}

function ancestorsOf(path: string): readonly string[] {
  const parts = dirname(path).split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Whether a literal of the text is the word, or a path that ends in it. */
function hasLiteral(text: string, word: string): boolean {
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${word}${quote}`) || text.includes(`/${word}${quote}`));
}

/** Changed files that still exist and end in one of `endings`. */
export function ofKind(root: string, changed: readonly string[], endings: readonly string[]): readonly string[] {
  return changed.filter((path) => endings.some((ending) => path.endsWith(ending)) && existsSync(join(root, path)));
}
