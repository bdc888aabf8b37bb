// OpenSSH's command line as inventories carry it (`ansible_ssh_common_args`), parsed so that nothing is ignored
// silently.
import { FettleError } from '../../domain/error.ts';
import { hostKeyAliasProblem, hostNameProblem, userNameProblem } from '../../domain/plain-name.ts';
import { keywordOf, refusedKeywords, useOf } from './keywords.ts';

export interface SshArguments {
  /** `-F`; `none` means no file at all. */
  readonly configFile: string | undefined;
  /** In the order given; the first of a keyword holds, as in ssh_config(5). Keywords in lower case. */
  readonly options: readonly (readonly [keyword: string, value: string])[];
}

/** Flags with a value, and the keyword they stand for. */
const flagKeywords: Readonly<Record<string, string>> = {
  p: 'port',
  l: 'user',
  i: 'identityfile',
  J: 'proxyjump',
  S: 'controlpath',
  e: 'escapechar',
};

const familyFlags: Readonly<Record<string, string>> = { '4': 'inet', '6': 'inet6' };

/** Flags that change nothing for fettle: verbosity, terminals, forwarding of agent and displays. */
const idleFlags = 'CqvTtnxaAkXYN';

export function readArguments(words: readonly string[], host: string): SshArguments {
  const options: [string, string][] = [];
  let configFile: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const [, flag = '', rest = ''] = /^-(\w)(.*)$/s.exec(word) ?? [];
    if (word.length > 1 && [...word.slice(1)].every((letter) => idleFlags.includes(letter)) && flag !== '') continue;
    const family = rest === '' ? familyFlags[flag] : undefined;
    if (family !== undefined) {
      options.push(['addressfamily', family]);
      continue;
    }
    const keyword = flagKeywords[flag];
    if (keyword === undefined && flag !== 'o' && flag !== 'F') throw notUnderstood(word, host);
    const value = rest === '' ? words[(at += 1)] : rest;
    if (value === undefined) throw notUnderstood(`${word} (without a value)`, host);
    if (flag === 'F') configFile ??= value;
    else options.push(keyword === undefined ? readOption(value, host) : [keyword, value]);
  }
  for (const [keyword, value] of options) refuseNoName(keyword, value, host);
  return { configFile, options: options.filter(([keyword]) => useOf(keyword) === 'obeyed' || isCanonical(keyword)) };
}

/** Checked before `ssh -G` runs: it may pass them to the commands of `Match exec`. */
function refuseNoName(keyword: string, value: string, host: string): void {
  const text = value.replace(/^"(.*)"$/, '$1');
  const problem = namedBy[keyword]?.(text);
  if (problem === undefined) return;
  throw new FettleError('config', `the ssh argument ${keyword} ${JSON.stringify(text)} for ${host} ${problem}`);
}

const namedBy: Readonly<Record<string, (text: string) => string | undefined>> = {
  user: userNameProblem,
  hostname: (text) => hostNameProblem(text.replaceAll('%h', 'h')),
  hostkeyalias: hostKeyAliasProblem,
  port: (text) => (/^[0-9]{1,5}$/.test(text) ? undefined : 'is not a port'),
};

/** ssh applies them before it answers, so they are passed on. */
export function isCanonical(keyword: string): boolean {
  return keyword.startsWith('canonical');
}

function readOption(text: string, host: string): [string, string] {
  const [, name = '', value = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)/s.exec(text) ?? [];
  const keyword = keywordOf(name);
  if (refusedKeywords.includes(keyword) && !isOff(value)) throw unsupported(name, value, host);
  const isKnown = useOf(keyword) !== 'refused' || refusedKeywords.includes(keyword);
  if (!isKnown || ['host', 'match', 'include'].includes(keyword) || value === '')
    throw notUnderstood(`-o ${text}`, host);
  return [keyword, value];
}

/** The option is accepted but not used. */
export function isOff(value: string): boolean {
  return ['', 'no', 'false', 'none'].includes(value.toLowerCase());
}

/** A keyword that must not be dropped silently. */
export function unsupported(keyword: string, value: string, host: string): FettleError {
  return new FettleError('config', `the ssh option ${keyword} (${value}) for ${host} is not supported`, {
    hint: 'it affects trust or routing, so fettle does not ignore it; remove it for these hosts',
  });
}

function notUnderstood(what: string, host: string): FettleError {
  return new FettleError('config', `the ssh argument ${what} for ${host} is not recognised`, {
    hint: 'remove it from ansible_ssh_args, ansible_ssh_common_args or ansible_ssh_extra_args, or put it into ~/.ssh/config',
  });
}
