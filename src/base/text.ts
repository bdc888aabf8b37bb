// What comes from hosts and files is data: it may name, but never steer, the terminal it is shown on.

// Its patterns stand inside functions: reading their Unicode classes takes longer than most starts have to do with text.

/**
 * Control sequences of ECMA-48: CSI, then the strings OSC, DCS, SOS, PM and APC up to their terminator, then the short
 * escapes. Nothing that begins a sequence may stand in another of its kind: each search ends where the next one begins, so
 * the time is linear in the text.
 */
function withoutSequences(text: string): string {
  return text.replace(
    /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\x9d]*(?:\x07|\x1b\\|\x9c)|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9c\x9e\x9f]*(?:\x1b\\|\x9c)|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]/g,
    '',
  );
}

/** C0, C1, bidirectional overrides, zero-width and other invisible characters, lone surrogates; emoji selectors stay. */
function showUnseen(text: string, show: (character: string) => string): string {
  return text.replace(/(?![\ufe00-\ufe0f])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu, show);
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** One line for a field: sequences are gone, line breaks and tabs are a space, what is left of controls is visible. */
export function cleanLine(text: string): string {
  if (!/[^ -~]/.test(text)) return text;
  return showUnseen(withoutSequences(text).replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' '), visible);
}

/** Several lines of output: as `cleanLine`, but line feeds and tabs stay. A carriage return becomes a line feed, several in a row one. */
export function cleanBlock(text: string): string {
  if (!/[^ -~\n\t]/.test(text)) return text;
  return showUnseen(withoutSequences(text).replace(/\r+\n?/g, '\n'), (character) =>
    character === '\n' || character === '\t' ? character : visible(character),
  );
}

/** The newest line with something on it, raw; a carriage return begins a line, as progress bars mean it. */
export function newestLine(text: string): string {
  let end = text.length;
  for (let at = end - 1; at >= -1; at -= 1) {
    if (at >= 0 && text[at] !== '\n' && text[at] !== '\r') continue;
    const line = text.slice(at + 1, end);
    if (line.trim() !== '') return line;
    end = at;
  }
  return '';
}

/** Cuts to at most `columns`, `…` in place of what is cut. `widthOf` measures in terminal columns. */
export function ellipsis(text: string, columns: number, widthOf: (text: string) => number): string {
  if (columns <= 0) return '';
  // No cluster is narrower than nothing: what lies this far out could only matter if all before it were invisible.
  const near = text.length > columns * 16 ? text.slice(0, columns * 16) : text;
  if (near === text && widthOf(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(near)) {
    used += widthOf(segment);
    if (used > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** `1 host`, `3 hosts`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** One word for a POSIX shell, quoted only where it must be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
