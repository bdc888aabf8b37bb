import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

const unusedForMs = 14 * 24 * 3600 * 1000;

/** A short digest of what an entry of the cache is made from. */
export function digestOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(String(part.length)).update('\0').update(part);
  return hash.digest('hex').slice(0, 16);
}

/** The contents of files of this folder, in the order of their names. */
export async function contentOf(directory: string, names?: readonly string[]): Promise<readonly string[]> {
  const list = names ?? (await readdir(directory)).sort();
  return Promise.all(list.map((name) => readFile(join(directory, name), 'utf8')));
}

/** Makes `path` by `build` in a directory beside it, unless it is there; a failed build leaves nothing. */
export async function ensureEntry(path: string, build: (directory: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) {
    const now = new Date();
    await utimes(path, now, now);
    return path;
  }
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await build(unfinished);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return path;
}

/** Removes entries that no lab has asked for in a fortnight. */
export async function pruneCache(root: string): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const path = join(root, name);
    const { mtimeMs } = await stat(path);
    const isEntry = /^(base|packages|flavour|archive)-/.test(name);
    if (isEntry && Date.now() - mtimeMs > unusedForMs) await rm(path, { recursive: true, force: true });
  }
}
