import { readFileSync } from 'node:fs';
import type { Session } from '../transport/session.ts';
import { powershellProgram, stripped, switches } from './powershell.ts';

/**
 * Reads its program from the first line of standard input. Without `$` and inner quotes, so that cmd and every PowerShell
 * as a default shell hand it on unchanged; with `-Command` instead of `-EncodedCommand`, so that errors come as text.
 */
const stub =
  '& ([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))))';

/** The constant command line that runs a text of `encodeText`. */
export function textCommand(session: Pick<Session, 'transport'>): string {
  return `${powershellProgram(session)} ${switches} -Command "${stub}"`;
}

let runner: string | undefined;

/** What runs the text of an operator, the same for every text. */
export function textRunner(): string {
  runner ??= `${stripped(readFileSync(new URL('windows/text.ps1', import.meta.url), 'utf8'))}\nInvoke-OwnText`;
  return runner;
}

/** Standard input for it: the program that runs the text, and the text, each as a line of base64. */
export function encodeText(text: string): string {
  return `${base64(textRunner())}\n${base64(text)}\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
