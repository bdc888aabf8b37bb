import { glob, readdir, readFile } from 'node:fs/promises';
import { dirname, basename, isAbsolute, join } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import { globMatcher } from '../../domain/glob.ts';
import { throughShortages } from '../shortage.ts';
import { matchesPatternList } from './pattern.ts';

interface Block {
  readonly patterns: readonly string[];
  /** It depends on the host's own name, so that its hosts cannot share an answer. */
  isOwn: boolean;
  /** It depends on the user or the port. */
  isOfLogin: boolean;
}

export interface ConfigFile {
  readonly path: string;
  /** What relative Include files are relative to: ~/.ssh or /etc/ssh, ssh_config(5). */
  readonly includeDir: string;
}

/** Tokens of the host's name; fettle expands them in the options that `ssh -G` leaves unexpanded. */
const nameToken = /%[hnkC]/;
/** Tokens of the user's name and the port. */
export const loginToken = /%[rpC]/;
const leftAsTheyAre =
  /^\s*(identityfile|certificatefile|proxycommand|controlpath|localcommand|remotecommand|revokedhostkeys)[\s=]/i;

/** The `Host` and `Match` blocks of OpenSSH's configuration, to find which hosts get the same answer from `ssh -G`. */
export class ConfigBlocks {
  readonly #blocks: readonly Block[];

  private constructor(blocks: readonly Block[]) {
    this.#blocks = blocks;
  }

  static async read(files: readonly ConfigFile[], homeDir: string): Promise<ConfigBlocks> {
    const blocks: Block[] = [];
    for (const file of files) {
      const lines = await readWithIncludes(file, { homeDir, depth: 0, header: 'Host *' });
      for (const line of ['Host *', ...lines]) readLine(line.replace(/^\s*#.*/, ''), blocks);
    }
    return new ConfigBlocks(blocks);
  }

  /** Whether another user or another port could change anything but the user and the port. */
  get areOfLogin(): boolean {
    return this.#blocks.some(({ isOfLogin }) => isOfLogin);
  }

  /** Equal for hosts that match the same blocks; undefined where the answer depends on the name itself. */
  keyOf(host: string): string | undefined {
    const matching = this.#blocks.map(({ patterns }) => matchesPatternList(host, patterns));
    if (this.#blocks.some(({ isOwn }, index) => isOwn && matching[index] === true)) return undefined;
    return matching.map((isMatch) => (isMatch ? '1' : '0')).join('');
  }
}

function readLine(line: string, blocks: Block[]): void {
  const [, keyword = '', value = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*)/.exec(line) ?? [];
  const name = keyword.toLowerCase();
  if (name === 'host') {
    blocks.push({ patterns: words(value), isOwn: false, isOfLogin: false });
  } else if (name === 'match') {
    blocks.push(matchBlock(value));
  } else {
    const block = blocks.at(-1);
    const isOwn =
      name === 'hostname' ||
      (name === 'canonicalizehostname' && !/^no$/i.test(value)) ||
      (nameToken.test(line) && !leftAsTheyAre.test(line));
    if (block !== undefined && isOwn) block.isOwn = true;
    if (block !== undefined && loginToken.test(line) && !leftAsTheyAre.test(line)) block.isOfLogin = true;
  }
}

/**
 * Only `host` and `originalhost` can be evaluated without running anything; any other criterion needs a query of its
 * own.
 */
function matchBlock(criteria: string): Block {
  let patterns: readonly string[] = ['*'];
  let isOfLogin = false;
  const rest = words(criteria);
  for (let at = 0; at < rest.length; at += 1) {
    const criterion = rest[at]?.toLowerCase() ?? '';
    if (criterion === 'all') continue;
    const isNegated = criterion.startsWith('!');
    const name = criterion.replace(/^!/, '');
    const value = rest[(at += 1)] ?? '';
    if (name === 'user') isOfLogin = true;
    if (name === 'user' || name === 'localuser') continue;
    if ((name !== 'host' && name !== 'originalhost') || isNegated) {
      return { patterns: ['*'], isOwn: true, isOfLogin: true };
    }
    patterns = value.split(',');
  }
  return { patterns, isOwn: false, isOfLogin };
}

function words(text: string): string[] {
  return text
    .replaceAll('"', '')
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
}

interface Included {
  readonly homeDir: string;
  readonly depth: number;
  /** The line that begins the block around the Include: it goes on after it. */
  readonly header: string;
}

const readLimitMs = 10_000;

/** ssh_config(5) Include: globs allowed, at most 16 deep. */
async function readWithIncludes(file: ConfigFile, { homeDir, depth, header }: Included): Promise<string[]> {
  const limit = { ms: readLimitMs, what: file.path };
  const text = await throughShortages(() => readFile(file.path, 'utf8'), limit).catch((cause: unknown) => {
    if (cause instanceof FettleError) throw cause;
    return '';
  });
  const lines: string[] = [];
  let around = header;
  for (const line of text.split('\n')) {
    if (/^\s*(host|match)[\s=]/i.test(line)) around = line;
    const included = /^\s*include[\s=]+(.*)/i.exec(line)?.[1];
    if (included === undefined) {
      lines.push(line);
      continue;
    }
    if (depth >= 16) continue;
    for (const word of words(included)) {
      const path = word.startsWith('~/') ? join(homeDir, word.slice(2)) : word;
      const found = await filesOf(isAbsolute(path) ? path : join(file.includeDir, path));
      for (const inner of found.sort()) {
        const next = { ...file, path: inner };
        lines.push(...(await readWithIncludes(next, { homeDir, depth: depth + 1, header: around })));
      }
    }
    lines.push(around);
  }
  return lines;
}

const special = /[*?[]/;

/** Paths that a glob(7) stands for. Most name the files of one directory, for which Node's own `glob` is slow to start. */
async function filesOf(pattern: string): Promise<string[]> {
  const directory = dirname(pattern);
  if (special.test(directory) || /[\\{]/.test(pattern)) return Array.fromAsync(glob(pattern));
  const last = basename(pattern);
  if (!special.test(last)) return [pattern];
  const isMatch = globMatcher(last);
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => isMatch(name) && (last.startsWith('.') || !name.startsWith('.')))
    .map((name) => join(directory, name));
}
