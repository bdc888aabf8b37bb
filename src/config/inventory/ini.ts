// INI inventories as the ini plugin of Ansible reads them: sections of hosts, of variables and of child groups.
import { placeIn, type Diagnostic, type Place } from '../yaml/diagnostic.ts';
import type { HostEntry, InventoryDraft } from './draft.ts';
import { expandHosts } from './host-range.ts';
import { pythonLiteral } from './python-literal.ts';
import { wordsOf } from './shell-words.ts';
import { addVariable, templateProblem, type Variable } from './variables.ts';

export interface IniText {
  readonly file: string;
  readonly text: string;
}

/** One line that means something; the group is the section's. */
type Statement = { readonly group: string; readonly place: Place } & (
  | { readonly kind: 'hosts' | 'children' | 'vars' }
  | { readonly kind: 'host'; readonly entry: HostEntry }
  | { readonly kind: 'variable'; readonly variables: Map<string, Variable> }
  | { readonly kind: 'child'; readonly child: string }
);

export interface IniInventory {
  readonly statements: readonly Statement[];
  readonly diagnostics: readonly Diagnostic[];
}

/** More hosts than any inventory has; a few lines can mean as many by their ranges. */
const mostHosts = 200_000;
const mostErrors = 20;

// The ends of lines and the blanks around them are Python's.
// oxlint-disable-next-line no-control-regex
const lineEnd = /\r\n|[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]/;
const section = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/;

/** Reads the whole text; nothing of it is meant where the diagnostics hold an error. */
export function parseIni({ file, text }: IniText): IniInventory {
  return new IniReader(file, text.replace(/^\uFEFF/, '').split(lineEnd)).read();
}

class IniReader {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #statements: Statement[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  #group = 'ungrouped';
  #kind: 'hosts' | 'children' | 'vars' = 'hosts';
  #hosts = 0;
  #errors = 0;

  constructor(file: string, lines: readonly string[]) {
    this.#file = file;
    this.#lines = lines;
  }

  read(): IniInventory {
    for (const [at, raw] of this.#lines.entries()) {
      const line = raw.trim();
      if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
      const problem = this.#line(line, at);
      if (problem !== undefined) {
        this.#diagnostics.push({ severity: 'error', ...this.#place(at), ...problem });
        this.#errors += 1;
      }
      if (this.#errors >= mostErrors || this.#hosts > mostHosts) break;
    }
    return { statements: this.#statements, diagnostics: this.#diagnostics };
  }

  #place(at: number, column = 0): Place {
    const raw = this.#lines[at] ?? '';
    return placeIn(this.#file, this.#lines, { line: at + 1, column: raw.length - raw.trimStart().length + column + 1 });
  }

  #line(line: string, at: number): Problem | undefined {
    const [, group, kind = 'hosts'] = section.exec(line) ?? [];
    if (group !== undefined) return this.#section(group, kind, at);
    if (/^\[.*\]$/.test(line)) {
      const message = `${line} is no section: a group's name has neither blanks nor colons`;
      return { message, hint: 'sections are [GROUP], [GROUP:vars] and [GROUP:children]' };
    }
    if (this.#kind === 'vars') return this.#variable(line, at);
    return this.#kind === 'children' ? this.#child(line, at) : this.#host(line, at);
  }

  #section(group: string, kind: string, at: number): Problem | undefined {
    if (kind !== 'hosts' && kind !== 'vars' && kind !== 'children') {
      return { message: `the section [${group}:${kind}] is of no known kind`, hint: 'one of hosts, vars, children' };
    }
    this.#group = group;
    this.#kind = kind;
    this.#statements.push({ kind, group, place: this.#place(at) });
    return undefined;
  }

  #variable(line: string, at: number): Problem | undefined {
    const equals = line.indexOf('=');
    if (equals < 0) return { message: 'a line of variables is name=value' };
    const group = this.#group;
    const variables = new Map<string, Variable>();
    this.#add(
      variables,
      [line.slice(0, equals).trim(), line.slice(equals + 1).trim()],
      this.#place(at),
      `group ${group}`,
    );
    this.#statements.push({ kind: 'variable', group, place: this.#place(at), variables });
    return undefined;
  }

  #child(line: string, at: number): Problem | undefined {
    const child = childName(line);
    if (child === undefined) return { message: `"${line}" is no name of a group` };
    this.#statements.push({ kind: 'child', group: this.#group, place: this.#place(at), child });
    return undefined;
  }

  #host(line: string, at: number): Problem | undefined {
    const [first, ...words] = wordsOf(line, { comments: true }) ?? [];
    if (first === undefined) return { message: 'unclosed quote, or a backslash at the end of the line' };
    if (first.text.trim() === '---') return { message: '--- begins a YAML file, and the rest of it is INI' };
    if (first.text.trim().endsWith(':')) return { message: `"${first.text}" ends with a colon, but has no port` };
    const expanded = expandHosts(first.text);
    if (!expanded.ok) return { message: expanded.message };
    const { names, port } = expanded;
    this.#hosts += names.length;
    if (this.#hosts > mostHosts) return { message: `there are more than ${mostHosts} hosts` };
    const place = this.#place(at);
    const layer = `host ${first.text}`;
    const variables = new Map<string, Variable>();
    for (const { text, at: column } of words) {
      const equals = text.indexOf('=');
      if (equals < 0) return { message: `"${text}" is no variable: behind a host's name stands name=value` };
      this.#add(variables, [text.slice(0, equals), text.slice(equals + 1)], this.#place(at, column), layer);
    }
    const portVariable = port === undefined ? undefined : { value: port, origin: { ...place, layer } };
    const entry = { names, port: portVariable, variables };
    this.#statements.push({ kind: 'host', group: this.#group, place, entry });
    return undefined;
  }

  #add(variables: Map<string, Variable>, [name, text]: readonly [string, string], place: Place, layer: string): void {
    const literal = pythonLiteral(text);
    const value = literal === undefined ? text : literal.value;
    const problem = templateProblem(name, value, place);
    const read = { name, value, place, layer, ...(problem === undefined ? {} : { problem }) };
    addVariable(variables, read, { diagnostics: this.#diagnostics });
  }
}

/** The name of a line below `[GROUP:children]`; a comment may follow, where the name itself does not go on also without a blank. */
function childName(line: string): string | undefined {
  const word = /^[^:\]\s]+/.exec(line)?.[0] ?? '';
  const rest = line.slice(word.length).trimStart();
  if (rest === '' || rest.startsWith('#')) return word === '' ? undefined : word;
  const hash = word.lastIndexOf('#');
  return hash > 0 ? word.slice(0, hash) : undefined;
}

type Problem = Pick<Diagnostic, 'message' | 'hint'>;

/** Groups that are named before they are declared: what their first naming lacks. */
interface Pending {
  readonly kind: 'vars' | 'children';
  readonly place: Place;
  readonly parents: { readonly name: string; readonly place: Place }[];
}

/** Adds to the draft what was read. A group that is named but nowhere declared is an error, as in Ansible. */
export function applyIni({ statements }: IniInventory, draft: InventoryDraft, diagnostics: Diagnostic[]): void {
  const pending = new Map<string, Pending>();
  for (const statement of statements) {
    const { group, place } = statement;
    if (statement.kind === 'host') draft.addHosts(group, statement.entry);
    else if (statement.kind === 'variable') draft.addGroupVariables(group, statement.variables, diagnostics);
    else if (statement.kind !== 'child') declare(statement, draft, { pending, diagnostics });
    else if (draft.groups.has(statement.child)) addChild(draft, [group, statement.child], place, diagnostics);
    else {
      const known = pending.get(statement.child) ?? { kind: 'children', place, parents: [] };
      pending.set(statement.child, known);
      known.parents.push({ name: group, place });
    }
  }
  for (const [name, { kind, place, parents }] of pending) {
    const [parent] = parents;
    const named = kind === 'vars' ? `[${name}:vars]` : `[${parent?.name ?? ''}:children]`;
    const message = `the section ${named} names the group ${name}, which is not defined`;
    diagnostics.push({ severity: 'error', ...place, message, hint: `add the section [${name}]` });
  }
}

interface Declaring {
  readonly pending: Map<string, Pending>;
  readonly diagnostics: Diagnostic[];
}

function declare(
  { group, kind, place }: Pick<Statement, 'group' | 'place' | 'kind'>,
  draft: InventoryDraft,
  { pending, diagnostics }: Declaring,
): void {
  if (!draft.groups.has(group)) {
    if (kind === 'vars' && !pending.has(group)) pending.set(group, { kind, place, parents: [] });
    if (/\W/.test(group)) {
      const message = `the group name "${group}" has characters that patterns may misread`;
      diagnostics.push({ severity: 'warning', ...place, message, hint: 'use letters, digits and _' });
    }
    draft.group(group);
  }
  const named = pending.get(group);
  if (named === undefined || kind === 'vars') return;
  pending.delete(group);
  for (const parent of named.parents) addChild(draft, [parent.name, group], parent.place, diagnostics);
}

function addChild(
  draft: InventoryDraft,
  [group, child]: readonly [string, string],
  place: Place,
  diagnostics: Diagnostic[],
): void {
  if (child === 'all' || child === group) {
    diagnostics.push({ severity: 'error', ...place, message: `group ${child} cannot be a child of ${group}: a loop` });
  } else draft.addChild(group, child, place);
}
