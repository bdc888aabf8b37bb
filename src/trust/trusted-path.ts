// One rule for everything that fettle executes or believes: nobody else may have written it. Synchronous and without
// imports of our own, because the very first lines of the program need it.
import { lstatSync, mkdirSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Whom a path may belong to, and who may write it besides. */
export interface TrustRule {
  /** User ids; root is always one of them. */
  readonly owners: readonly number[];
  /** A group may write what a team keeps together (`/usr/local/bin` on Debian, a shared checkout); never everybody. */
  readonly groupMayWrite?: boolean;
}

/** What is wrong with a path. */
export interface Distrust {
  /** The path itself, or the directory or link above it that is at fault. */
  readonly path: string;
  /** Words that follow the path, such as `can be written by everyone (mode 0777)`. */
  readonly reason: string;
}

const writeBits = { group: 0o020, others: 0o002, sticky: 0o1000 } as const;
const symbolicLinksAtMost = 40;

/** An open file that our caller handed to us, proc_pid_fd(5), such as `<(command)` in bash. */
const handedOver = /^\/proc\/(self|thread-self|\d+)\/(task\/\d+\/)?fd\/\d+$/;

/**
 * Why a file may hold what another user wrote; undefined where it cannot. Judged are the file, every directory above
 * it up to the root, and every symbolic link on the way: each belongs to an owner of the rule or to root and cannot be
 * written by others. In a directory with the sticky bit, inode(7), others cannot replace what is not theirs.
 * @throws the error of lstat(2) for a path that is not there.
 */
export function distrustOfFile(path: string, rule: TrustRule): Distrust | undefined {
  return walk(path, rule, false);
}

/** The same for a directory whose entries are believed: the sticky bit does not help, others may add entries. */
export function distrustOfDirectory(path: string, rule: TrustRule): Distrust | undefined {
  return walk(path, rule, true);
}

function walk(path: string, rule: TrustRule, areEntriesBelieved: boolean): Distrust | undefined {
  const words = wordsOf(resolve(path));
  let current = '/';
  let links = 0;
  const root = judge(current, lstatSync(current), rule, words.length === 0 && areEntriesBelieved);
  if (root !== undefined) return root;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '..') {
      current = dirname(current);
      continue;
    }
    current = join(current, word);
    if (handedOver.test(current)) return undefined;
    const found = lstatSync(current);
    const distrust = judge(current, found, rule, words.length === 0 && areEntriesBelieved);
    if (distrust !== undefined) return distrust;
    if (!found.isSymbolicLink()) continue;
    links += 1;
    if (links > symbolicLinksAtMost) return { path, reason: 'leads through too many symbolic links' };
    const target = readlinkSync(current);
    words.unshift(...wordsOf(target));
    current = target.startsWith('/') ? '/' : dirname(current);
  }
  return undefined;
}

function wordsOf(path: string): string[] {
  return path.split('/').filter((word) => word !== '' && word !== '.');
}

function judge(path: string, found: Stats, rule: TrustRule, areEntriesBelieved: boolean): Distrust | undefined {
  if (found.uid !== 0 && !rule.owners.includes(found.uid)) {
    return { path, reason: `belongs to another user (uid ${found.uid})` };
  }
  // The mode of a symbolic link means nothing, symlink(7).
  if (found.isSymbolicLink()) return undefined;
  const isKeptBySticky = found.isDirectory() && !areEntriesBelieved && (found.mode & writeBits.sticky) !== 0;
  if (isKeptBySticky) return undefined;
  const mode = (found.mode & 0o7777).toString(8).padStart(4, '0');
  if ((found.mode & writeBits.others) !== 0) return { path, reason: `can be written by everyone (mode ${mode})` };
  if (rule.groupMayWrite !== true && (found.mode & writeBits.group) !== 0) {
    return { path, reason: `can be written by its group (mode ${mode})` };
  }
  return undefined;
}

/**
 * The path of `PATH` with only those directories that nobody else can put a program into. Relative ones go as well:
 * what they hold depends on where one stands.
 */
export function trustedSearchPath(searchPath: string, rule: TrustRule): string {
  const isTrusted = (directory: string): boolean => {
    try {
      return directory.startsWith('/') && distrustOfDirectory(directory, rule) === undefined;
    } catch {
      return false;
    }
  };
  return searchPath.split(':').filter(isTrusted).join(':');
}

/**
 * Makes a directory and those above it. Not the recursive way of `mkdirSync`, which never returns where a directory can
 * be neither found nor made, as below `/proc`.
 * @throws the error of mkdir(2).
 */
export function makeDirectory(path: string, mode: number): void {
  const above = dirname(path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (above !== path) makeDirectory(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process was faster.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
