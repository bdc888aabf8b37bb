import { fewEnough, shortEnough } from '../../domain/limits.ts';

export interface TableRow {
  readonly name: string;
  readonly arch: string;
  /** `[epoch:]version-release`. */
  readonly evr: string;
  readonly repository: string;
}

/** The table of a transaction that dnf 5 prints before it asks. */
export interface TransactionTable {
  /** What goes in, with the packages that it replaces. */
  readonly installs: readonly (TableRow & { readonly replaces: readonly TableRow[] })[];
  readonly removes: readonly TableRow[];
  /** It got as far as a transaction, or to the reasons why there is none. */
  readonly isComplete: boolean;
  /** `Problem: …` and what explains it, each as one text. */
  readonly troubles: readonly string[];
}

/** Words of the headings under which packages go in; `Skipping packages …` are none. */
const goingIn = /^(Installing|Upgrading|Downgrading|Reinstalling)\b.*:$/;
const goingOut = /^Removing\b.*:$/;
const replacing = 'replacing';

/** Reads what `dnf5 --assumeno` printed; what it does not know is no row. */
export function readTable(lines: Iterable<string>): TransactionTable {
  const installs: (TableRow & { replaces: TableRow[] })[] = [];
  const removes: TableRow[] = [];
  const troubles: string[] = [];
  let isComplete = false;
  let part: 'in' | 'out' | 'other' = 'other';
  for (const line of lines) {
    if (!line.startsWith(' ')) {
      part = goingIn.test(line) ? 'in' : goingOut.test(line) ? 'out' : 'other';
      isComplete ||= /^(Transaction Summary:|Nothing to do\.|Failed to resolve)/.test(line);
      if (isTrouble(line)) fewEnough(troubles, 'problems').push(line);
      continue;
    }
    const words = line.trim().split(/ +/, 12);
    if (part === 'other') {
      const last = troubles.length - 1;
      if (words[0] === '-' && last >= 0) troubles[last] = `${troubles[last]} ${words.slice(1).join(' ')}`;
      continue;
    }
    const isReplaced = words[0] === replacing;
    const row = rowOf(isReplaced ? words.slice(1) : words);
    if (row === undefined) continue;
    if (isReplaced) installs.at(-1)?.replaces.push(row);
    else if (part === 'out') fewEnough(removes, 'removals').push(row);
    else fewEnough(installs, 'packages of a transaction').push({ ...row, replaces: [] });
  }
  return { installs, removes, isComplete, troubles };
}

function isTrouble(line: string): boolean {
  return /^(Problem( \d+)?:|No match for argument|Failed to resolve)/.test(line);
}

function rowOf([name, arch, evr, repository]: readonly string[]): TableRow | undefined {
  if (name === undefined || arch === undefined || repository === undefined || !/^\d+:.+-/.test(evr ?? ''))
    return undefined;
  return {
    name: shortEnough(name, 'package name'),
    arch: shortEnough(arch, 'architecture'),
    evr: shortEnough((evr ?? '').replace(/^0:/, ''), 'version'),
    repository: shortEnough(repository, 'name of a repository'),
  };
}
