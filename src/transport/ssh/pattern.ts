import { wildcardMatcher } from '../../domain/glob.ts';

/** One pattern of ssh_config(5) PATTERNS: `*` and `?` are special, nothing else, and case is ignored. */
export function matchesPattern(text: string, pattern: string): boolean {
  return wildcardMatcher(pattern.toLowerCase())(text.toLowerCase());
}

/** A pattern list: one that matches with `!` before it decides against, whatever else matches. */
export function matchesPatternList(
  text: string,
  patterns: readonly string[],
  matches: (text: string, pattern: string) => boolean = matchesPattern,
): boolean {
  let isMatch = false;
  for (const pattern of patterns) {
    if (!pattern.startsWith('!')) isMatch ||= matches(text, pattern);
    else if (matches(text, pattern.slice(1))) return false;
  }
  return isMatch;
}
