const specials = /[.+^${}()|\\]/g;

/** One shell glob (`*`, `?`, `[a-z]`, `[!a-z]`) as an anchored expression; every other character means itself. */
export function globExpression(glob: string): RegExp {
  let source = '';
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob.charAt(at);
    if (char === '*') source += source.endsWith('.*') ? '' : '.*';
    else if (char === '?') source += '.';
    else if (char === '[') {
      const end = glob.indexOf(']', glob.charAt(at + 1) === '!' ? at + 3 : at + 2);
      if (end < 0) source += '\\[';
      else {
        source += bracket(glob.slice(at + 1, end));
        at = end;
      }
    } else source += char.replace(specials, '\\$&');
  }
  return new RegExp(`^${source}$`, 'su');
}

function bracket(content: string): string {
  const isNegated = content.startsWith('!');
  const set = (isNegated ? content.slice(1) : content).replace(/[\\[\]^&|~]/g, '\\$&');
  try {
    new RegExp(`[${set}]`, 'u');
  } catch {
    return `\\[${content.replace(/[\\\].*+?^${}()|[]/g, '\\$&')}\\]`;
  }
  return `[${isNegated ? '^' : ''}${set}]`;
}

/** The first of the globs that matches, so that a reason can name it; undefined when none does. */
export function firstGlob(globs: readonly string[], text: string): string | undefined {
  return globs.find((glob) => globExpression(glob).test(text));
}
