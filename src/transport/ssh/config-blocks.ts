import { glob, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, matchesGlob } from 'node:path';

interface Block {
  readonly patterns: readonly string[];
}

/** Values that depend on the host's own name cannot be shared between hosts. */
const ownName = /%[hnkCL]|^\s*hostname[\s=]/im;

/** The `Host` blocks of OpenSSH's configuration files, to tell which hosts get the same answer from `ssh -G`. */
export class ConfigBlocks {
  readonly #blocks: readonly Block[];
  readonly #isShareable: boolean;

  private constructor(blocks: readonly Block[], isShareable: boolean) {
    this.#blocks = blocks;
    this.#isShareable = isShareable;
  }

  static async read(files: readonly string[], homeDir: string): Promise<ConfigBlocks> {
    const texts = await Promise.all(files.map((file) => readWithIncludes(file, homeDir, 0)));
    const lines = texts.join('\n').split('\n');
    const blocks = lines.flatMap((line): Block[] => {
      const match = /^\s*host[\s=]+(.*)$/i.exec(line);
      return match === null ? [] : [{ patterns: (match[1] ?? '').trim().split(/\s+/) }];
    });
    const isDynamic = lines.some((line) => /^\s*match\s/i.test(line) || ownName.test(line.replace(/#.*/, '')));
    return new ConfigBlocks(blocks, !isDynamic);
  }

  /** Equal for hosts that match the same blocks; undefined where the answer depends on the name itself. */
  keyOf(host: string): string | undefined {
    if (!this.#isShareable) return undefined;
    return this.#blocks.map((block) => (matchesBlock(block, host) ? '1' : '0')).join('');
  }
}

function matchesBlock({ patterns }: Block, host: string): boolean {
  if (patterns.some((pattern) => pattern.startsWith('!') && matchesGlob(host, pattern.slice(1)))) return false;
  return patterns.some((pattern) => matchesGlob(host, pattern));
}

/** ssh_config(5) Include: relative to ~/.ssh or /etc/ssh, globs allowed, at most 16 deep. */
async function readWithIncludes(file: string, homeDir: string, depth: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (depth >= 16) return text;
  const parts: string[] = [];
  for (const line of text.split('\n')) {
    const included = /^\s*include[\s=]+(.*)$/i.exec(line)?.[1];
    if (included === undefined) {
      parts.push(line);
      continue;
    }
    for (const word of included.trim().split(/\s+/)) {
      const path = word.startsWith('~/') ? join(homeDir, word.slice(2)) : word;
      const pattern = isAbsolute(path) ? path : join(dirname(file), path);
      for (const found of (await Array.fromAsync(glob(pattern))).sort()) {
        parts.push(await readWithIncludes(found, homeDir, depth + 1));
      }
    }
  }
  return parts.join('\n');
}
