import { FettleError } from '../../domain/error.ts';
import { answerLimits, answerTooLarge, fewEnough } from '../../domain/limits.ts';

/** Sections of a framed answer by name; a name may come once only. */
export type Sections = ReadonlyMap<string, string>;

/**
 * The lines of a text from a host, one at a time, empty ones included. `parse` for a line, or a number of lines, that no
 * sound host prints; `what` names the text in the error. Every parser reads lines through this.
 */
export function* linesIn(text: string, what: string): Generator<string, void, undefined> {
  let count = 0;
  for (let at = 0; at <= text.length;) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    if (end - at > answerLimits.lineLength) {
      throw answerTooLarge(`a line of more than ${answerLimits.lineLength} characters (${what})`);
    }
    count += 1;
    if (count > answerLimits.lines) throw answerTooLarge(`more than ${answerLimits.lines} lines (${what})`);
    yield text.slice(at, end);
    at = end + 1;
  }
}

/** Non-empty lines of a section; a section that is missing has none. */
export function linesOf(sections: Sections, name: string): readonly string[] {
  const lines: string[] = [];
  for (const line of linesIn(sections.get(name) ?? '', `section ${name}`)) {
    if (line !== '') fewEnough(lines, `lines in section ${name}`).push(line);
  }
  return fewEnough(lines, `lines in section ${name}`);
}

export function firstLine(sections: Sections, name: string): string | undefined {
  for (const line of linesIn(sections.get(name) ?? '', `section ${name}`)) if (line !== '') return line.trim();
  return undefined;
}

/** A section without which the answer means nothing. */
export function required(sections: Sections, name: string): string {
  const text = sections.get(name);
  if (text === undefined) throw new FettleError('parse', `the host's answer has no section ${name}`);
  return text;
}
