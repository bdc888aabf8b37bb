import { splitWords } from '../inventory/shell-words.ts';

/** Options of multiplexing, compression and prompting, which are fettle's own business. */
const droppedOption = /^(control(master|path|persist)|batchmode|compression)\s*(=|\s|$)/i;

/**
 * The words of `ansible_ssh_*args` as an argument list, without what has no meaning here (`-C`, `-S`, `-q`, `-v`, `-o
 * ControlMaster=…`, `-o BatchMode=…`). Undefined when unclosed quote.
 */
export function sshArguments(text: string): string[] | undefined {
  const words = splitWords(text);
  if (words === undefined) return undefined;
  const kept: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (/^-[CqvTtn]+$/.test(word)) continue;
    if (word.startsWith('-S')) {
      if (word === '-S') at += 1;
    } else if (word.startsWith('-o')) {
      const option = word === '-o' ? (words[(at += 1)] ?? '') : word.slice(2);
      if (!droppedOption.test(option.trim())) kept.push('-o', option);
    } else kept.push(word);
  }
  return kept;
}

/** Whether the arguments switch host key checking off (`StrictHostKeyChecking=no`); the first setting holds. */
export function checkingOf(words: readonly string[]): 'off' | 'accept-new' | 'strict' | undefined {
  for (const [at, word] of words.entries()) {
    if (words[at - 1] !== '-o') continue;
    const value = /^\s*stricthostkeychecking(?:\s*=\s*|\s+)"?([\w-]+)/i.exec(word)?.[1]?.toLowerCase();
    if (value === 'no' || value === 'off') return 'off';
    if (value === 'accept-new') return 'accept-new';
    if (value !== undefined) return 'strict';
  }
  return undefined;
}
