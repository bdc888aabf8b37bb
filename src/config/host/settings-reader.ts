// Typed access to the variables of one host; a value of the wrong kind is a diagnostic at its place.
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { Secret } from '../../domain/secret.ts';
import type { Variable, Variables } from '../inventory/variables.ts';

export class SettingsReader {
  readonly variables: Variables;
  readonly #reported: Diagnostic[] = [];
  /** Settings of this host whose value is a template or encrypted. */
  readonly #unreadable = new Map<string, Diagnostic>();

  #foreign: RegExp | undefined;

  constructor(variables: Variables) {
    this.variables = variables;
  }

  /** From here on, names of another connection (`ansible_winrm_*` over ssh, `ansible_ssh_*` over WinRM) count as not set. */
  connectBy(transport: string): void {
    if (transport === 'ssh') this.#foreign = /^ansible_(?:winrm|psrp)_/;
    if (transport === 'winrm') this.#foreign = /^ansible_(?:ssh|paramiko)_/;
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.#unreadable.values(), ...this.#reported];
  }

  /** The last of the names that is set; `null` counts as not set. */
  find(names: readonly string[]): { readonly name: string; readonly variable: Variable } | undefined {
    for (const name of names.toReversed()) {
      if (this.#foreign?.test(name) === true) continue;
      const variable = this.variables.get(name);
      if (variable?.problem !== undefined) this.#unreadable.set(name, variable.problem);
      else if (variable !== undefined && variable.value !== null) return { name, variable };
    }
    return undefined;
  }

  report(
    names: readonly string[],
    message: string,
    more: { hint?: string; severity?: 'error' | 'warning' } = {},
  ): void {
    const found = this.find(names);
    if (found === undefined) return;
    const { file, line, column, excerpt } = found.variable.origin;
    const { hint, severity = 'error' } = more;
    const place = { file, line, column, excerpt };
    this.#reported.push({ severity, ...place, message, ...(hint === undefined ? {} : { hint }) });
  }

  #wrong(names: readonly string[], needed: string): undefined {
    this.report(names, `${this.find(names)?.name ?? names[0] ?? ''} must be ${needed}`);
    return undefined;
  }

  /** Text; a number is its digits. Never empty. */
  text(...names: readonly string[]): string | undefined {
    const value = this.find(names)?.variable.value;
    if (value === undefined) return undefined;
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string') return this.#wrong(names, 'text');
    if (/[\0\n\r]/.test(text)) return this.#wrong(names, 'one line of text');
    return text.trim() === '' ? undefined : text;
  }

  /** Text that ends up in commands, paths or files; `problemOf` returns what in it could be interpreted as more than a name. */
  name(names: readonly string[], problemOf: (text: string) => string | undefined): string | undefined {
    const text = this.text(...names);
    const problem = text === undefined ? undefined : problemOf(text);
    if (problem === undefined) return text;
    const name = this.find(names)?.name ?? '';
    this.report(names, `${name} ${JSON.stringify(text)} ${problem}`, { hint: 'OpenSSH refuses such names as well' });
    return undefined;
  }

  secret(...names: readonly string[]): Secret | undefined {
    const value = this.find(names)?.variable.value;
    if (value === undefined || value instanceof Secret) return value;
    return this.#wrong(names, 'text');
  }

  /** `yes`, `no`, `1`, `0`, `"true"` too, as Ansible takes them. */
  boolean(...names: readonly string[]): boolean | undefined {
    const value = this.find(names)?.variable.value;
    if (value === undefined) return undefined;
    const word = (typeof value === 'string' ? value : JSON.stringify(value)).toLowerCase();
    if (['true', 'yes', 'on', 'y', 't', '1', '1.0'].includes(word)) return true;
    if (['false', 'no', 'off', 'n', 'f', '0', '0.0'].includes(word)) return false;
    return this.#wrong(names, 'true or false');
  }

  /** A whole number from `least` to `most`, digits in quotes too. */
  integer(names: readonly string[], { least, most }: { least: number; most: number }): number | undefined {
    const value = this.find(names)?.variable.value;
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
    return this.#wrong(names, `a whole number from ${least} to ${most}`);
  }

  /** A list of texts, or one text. */
  list(name: string): readonly string[] {
    const value = this.find([name])?.variable.value;
    if (value === undefined) return [];
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    const texts = items.filter((item) => typeof item === 'string' && item.trim() !== '').map(String);
    if (texts.length !== items.length) this.#wrong([name], 'a list of names');
    return texts;
  }
}
