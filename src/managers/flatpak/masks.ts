import { globMatcher } from '../../domain/glob.ts';
import type { FlatpakRow } from './refs.ts';

/**
 * Whether a pattern of flatpak-mask(1) is of the ref: `NAME`, `NAME/ARCH/BRANCH` or with `app/` or `runtime/` before it;
 * `*` stands for any word, and a part that is missing for all.
 */
export function isMasked(row: FlatpakRow, masks: readonly string[]): boolean {
  return masks.some((mask) => matches(row, mask.trim().split('/', 4)));
}

function matches(row: FlatpakRow, words: readonly string[]): boolean {
  const [first = ''] = words;
  const hasKind = first === 'app' || first === 'runtime';
  if (hasKind && row.kind !== '' && row.kind !== first) return false;
  const [name = '*', arch = '', branch = ''] = hasKind ? words.slice(1) : words;
  return isLike(row.name, name) && isLike(row.arch, arch) && isLike(row.branch, branch);
}

function isLike(word: string, pattern: string): boolean {
  return pattern === '' || globMatcher(pattern)(word);
}
