// The command line for the record: built from what was understood, never from what came in.
import { sealedExtraVars } from '../../config/inventory/extra-vars.ts';
import { sealText } from '../../domain/secret-text.ts';
import type { UnderstoodCommand } from './invocation.ts';
import { optionTable, type OptionName, type Options } from './options.ts';

/** Words that give the same command again, but for its secrets: those are `***`. Options of the environment are there. */
export function commandLine({ name, invocation }: UnderstoodCommand): readonly string[] {
  const { options, afterDashes = 0 } = invocation;
  const given = invocation.arguments.map(sealText);
  const before = given.slice(0, given.length - afterDashes);
  const after = given.slice(before.length);
  // A secret may be spread over the words of a command: --password x.
  const command = after.length === 0 ? [] : ['--', sealText(after.join(' '))];
  return [...name.split(' '), ...before, ...optionWords(options), ...command];
}

function optionWords(options: Partial<Options>): readonly string[] {
  const names = Object.keys(optionTable) as OptionName[];
  return names.flatMap((name) => wordsOf(name, options[name]));
}

function wordsOf(name: OptionName, value: unknown): readonly string[] {
  const { flags, counts, negation } = optionTable[name];
  const flag = /--[a-z-]+/.exec(flags)?.[0] ?? '';
  const isNegative = flag.startsWith('--no-');
  if (value === undefined || (value === true && isNegative)) return [];
  if (value === false) return isNegative ? [flag] : negation === undefined ? [] : [negation.flag];
  if (value === true) return [flag];
  if (counts === true) return Array.from({ length: Number(value) }, () => flag);
  if (Array.isArray(value)) return value.flatMap((item) => [flag, sealedValue(name, String(item))]);
  const text = sealedValue(name, String(value));
  return name === 'json' ? [`${flag}=${text}`] : [flag, text];
}

function sealedValue(name: OptionName, text: string): string {
  return name === 'extraVars' ? sealedExtraVars(text) : sealText(text);
}
