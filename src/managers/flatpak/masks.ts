import { globMatcher, type Matcher } from '../../domain/glob.ts';
import { answerTooLarge, shortEnough } from '../../domain/limits.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import type { FlatpakRow } from './refs.ts';

/** Whether a mask keeps flatpak from updating the ref. */
export type Masks = (row: FlatpakRow) => boolean;

/** Each ref is held against each mask. */
const mostMasks = 20;

/**
 * Patterns of flatpak-mask(1): `NAME`, `NAME/ARCH/BRANCH`, or either with `app/` or `runtime/` before it. `*` stands for any
 * word, and a part that is missing for all.
 */
export function readMasks(sections: Sections): Masks {
  const lines = linesOf(sections, 'flatpak-masks');
  if (lines.length > mostMasks) throw answerTooLarge(`more than ${mostMasks} masks of flatpak`);
  const masks = lines.map((line) => maskOf(shortEnough(line.trim(), 'mask').split('/', 4)));
  return (row) => masks.some((matches) => matches(row));
}

function maskOf(words: readonly string[]): Masks {
  const [kind = ''] = words;
  const hasKind = kind === 'app' || kind === 'runtime';
  const [name, arch, branch] = (hasKind ? words.slice(1) : words).map(matcherOf);
  return (row) =>
    (!hasKind || row.kind === '' || row.kind === kind) &&
    (name?.(row.name) ?? true) &&
    (arch?.(row.arch) ?? true) &&
    (branch?.(row.branch) ?? true);
}

function matcherOf(word: string): Matcher | undefined {
  return word === '' ? undefined : globMatcher(word);
}
