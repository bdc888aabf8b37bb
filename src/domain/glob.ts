/** One position of a pattern: any run, any one character, or a test for one character. */
type Step = 'any-run' | 'any' | ((character: string) => boolean);

/** True where the pattern means the whole text. */
export type Matcher = (text: string) => boolean;

/** One shell glob (`*`, `?`, `[a-z]`, `[!a-z]`), anchored at both ends; every other character means itself. */
export function globMatcher(glob: string): Matcher {
  const steps: Step[] = [];
  const characters = [...glob];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') steps.push('any-run');
    else if (character === '?') steps.push('any');
    else if (character === '[') {
      const end = characters.indexOf(']', characters[at + 1] === '!' ? at + 3 : at + 2);
      const set = end < 0 ? undefined : characterSet(characters.slice(at + 1, end));
      steps.push(set ?? ((other) => other === '['));
      if (set !== undefined) at = end;
    } else steps.push((other) => other === character);
  }
  return (text) => matches(steps, [...text]);
}

/** A pattern of ssh_config(5): only `*` and `?` are special. */
export function wildcardMatcher(pattern: string): Matcher {
  const steps = [...pattern].map((character): Step => {
    if (character === '*') return 'any-run';
    return character === '?' ? 'any' : (other) => other === character;
  });
  return (text) => matches(steps, [...text]);
}

/** Members and ranges between the brackets; undefined where a range starts after its end, so that it is no set. */
function characterSet(content: readonly string[]): ((character: string) => boolean) | undefined {
  const isNegated = content[0] === '!';
  const members = isNegated ? content.slice(1) : content;
  const ranges: (readonly [from: number, to: number])[] = [];
  for (let at = 0; at < members.length; at += 1) {
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    const from = members[at]?.codePointAt(0) ?? 0;
    const to = isRange ? (members[at + 2]?.codePointAt(0) ?? 0) : from;
    if (from > to) return undefined;
    ranges.push([from, to]);
    if (isRange) at += 2;
  }
  return (character) => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(([from, to]) => code >= from && code <= to) !== isNegated;
  };
}

/**
 * Goes back to the last `*` only, never to one before it: at most pattern times text steps, where an expression of
 * several `.*` takes a power of the text's length.
 */
function matches(steps: readonly Step[], text: readonly string[]): boolean {
  let [at, step] = [0, 0];
  let [runStep, runAt] = [-1, 0];
  while (at < text.length) {
    const current = steps[step];
    if (current === 'any-run') {
      runStep = step;
      runAt = at;
      step += 1;
    } else if (current !== undefined && (current === 'any' || current(text[at] ?? ''))) {
      at += 1;
      step += 1;
    } else if (runStep >= 0) {
      runAt += 1;
      at = runAt;
      step = runStep + 1;
    } else return false;
  }
  while (steps[step] === 'any-run') step += 1;
  return step === steps.length;
}

const matchersOf = new WeakMap<readonly string[], readonly Matcher[]>();

/** The first of the globs that matches, so that a reason can name it; undefined when none does. */
export function firstGlob(globs: readonly string[], text: string): string | undefined {
  const matchers = matchersOf.get(globs) ?? globs.map(globMatcher);
  matchersOf.set(globs, matchers);
  const found = matchers.findIndex((isMatch) => isMatch(text));
  return globs[found];
}

const lowerOf = new WeakMap<readonly string[], readonly string[]>();

/** The same for names whose case does not matter. */
export function firstGlobInAnyCase(globs: readonly string[], text: string): string | undefined {
  const lower = lowerOf.get(globs) ?? globs.map((glob) => glob.toLowerCase());
  lowerOf.set(globs, lower);
  const found = firstGlob(lower, text.toLowerCase());
  return found === undefined ? undefined : globs[lower.indexOf(found)];
}
