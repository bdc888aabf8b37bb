import { FettleError } from '../../domain/error.ts';
import { linesIn, required, type Sections } from './sections.ts';

/** What a program answered besides its output. */
export interface ProgramAnswer {
  readonly exitCode: number;
  /** What it printed to standard error, in one line. */
  readonly words: string;
}

const longestWords = 2_000;

/** The section `NAME-status` (`answer_section` of managers.sh): exit status and complaints of the program `what`. */
export function readAnswer(sections: Sections, name: string, what: string): ProgramAnswer {
  const [code = '', ...lines] = [...linesIn(required(sections, `${name}-status`), `status of ${name}`)];
  if (!/^\d{1,3}$/.test(code)) {
    throw new FettleError('parse', `the status of ${what} cannot be parsed`, {
      details: { begins: code.slice(0, 100) },
    });
  }
  const words = lines
    .join(' ')
    .slice(0, longestWords)
    .replace(/\s+/g, ' ')
    .replace(/^error: /, '')
    .trim();
  return { exitCode: Number(code), words: words === '' ? `${what} ended with status ${code}` : words };
}
