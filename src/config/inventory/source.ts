// One inventory file in Ansible's YAML structure: group → vars, children, hosts.
import { isMap, isScalar, isSeq } from 'yaml';
import type { YAMLMap } from 'yaml';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { conversionHint } from './conversion.ts';
import { expandHosts } from './host-range.ts';
import type { InventoryDraft } from './draft.ts';
import { suggestion } from '../yaml/suggestion.ts';
import { readVariables } from './variables.ts';
import { entriesOf, follow, type Entry, type YamlFile } from '../yaml/yaml.ts';

const sections = ['vars', 'children', 'hosts'] as const;

/** A group or host that is named takes as much as this many plain entries: 200,000 of them are read at most. */
const costOfName = 5;

export interface SourceReading {
  readonly yaml: YamlFile;
  readonly draft: InventoryDraft;
  readonly diagnostics: Diagnostic[];
}

interface OpenReading extends SourceReading {
  /** Group mappings that are being read, so that an alias cannot lead back into one. */
  readonly open: ReadonlySet<unknown>;
}

/** Whether the file is a mapping with anything in it, so that Ansible takes it for YAML. */
export function holdsGroups(yaml: YamlFile): boolean {
  const root = follow(yaml, yaml.root);
  return isMap(root) && root.items.length > 0;
}

/** Adds the content of the file to the draft. */
export function readSource(reading: SourceReading): void {
  const { yaml, diagnostics } = reading;
  const root = follow(yaml, yaml.root);
  if (isEmpty(root)) {
    diagnostics.push({ severity: 'warning', ...yaml.placeOf(root), message: 'the inventory is empty' });
    return;
  }
  if (!isMap(root)) {
    diagnostics.push({ severity: 'error', ...yaml.placeOf(root), ...wrongRoot(yaml, root) });
    return;
  }
  const entries = entriesOf(yaml, root);
  const foreign = foreignKey(reading, entries);
  if (foreign !== undefined) {
    diagnostics.push(foreign);
    return;
  }
  for (const entry of entries) readGroup({ ...reading, open: new Set() }, entry);
}

function wrongRoot(yaml: YamlFile, root: unknown): Pick<Diagnostic, 'message' | 'hint'> {
  const plays = isSeq(root) ? root.items.map((item) => follow(yaml, item)) : [];
  if (plays.some((play) => isMap(play) && play.has('hosts'))) {
    return { message: 'this is a playbook of Ansible, not an inventory', hint: 'pass the inventory with -i' };
  }
  const hint = 'it starts with groups, as in: all: {hosts: {web01: {}}}';
  return { message: 'an inventory is a mapping of groups', hint };
}

/** The error for a file that a key shows to be something else. */
function foreignKey({ yaml }: SourceReading, entries: readonly Entry[]): Diagnostic | undefined {
  const found = entries.find(({ key }) => ['plugin', 'kind', '_meta'].includes(String(key.value)));
  const problems: Readonly<Record<string, Pick<Diagnostic, 'message' | 'hint'>>> = {
    plugin: {
      message: 'inventory plugins are not supported in this version',
      hint: conversionHint(yaml.file),
    },
    kind: {
      message: 'this is not an inventory: it has the key kind',
      hint: 'pass the inventory with -i and the playbook as an argument',
    },
    _meta: {
      message: 'this is the output of ansible-inventory --list in JSON, which no -i takes',
      hint: 'add --yaml to the command that wrote it',
    },
  };
  return found === undefined
    ? undefined
    : { severity: 'error', ...yaml.placeOf(found.key), message: '', ...problems[String(found.key.value)] };
}

function isEmpty(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

/** The name a key stands for; a key that is no text is an error. */
function nameOf({ yaml, diagnostics }: SourceReading, { key }: Entry, what: string): string | undefined {
  if (typeof key.value === 'string' && key.value.trim() !== '') return key.value.trim();
  const shown = key.source ?? String(key.value);
  const message = `${shown === '' ? 'an empty key' : shown} is no ${what} name`;
  diagnostics.push({ severity: 'error', ...yaml.placeOf(key), message, hint: 'write it as text, in quotes' });
  return undefined;
}

function readGroup(reading: OpenReading, entry: Entry): string | undefined {
  const { yaml, draft, diagnostics, open } = reading;
  const name = nameOf(reading, entry, 'group');
  if (name === undefined) return undefined;
  yaml.nodes.spend(costOfName);
  const place = yaml.placeOf(entry.key);
  if (!draft.groups.has(name) && /\W/.test(name)) {
    const message = `the group name "${name}" has characters that patterns may misread`;
    diagnostics.push({ severity: 'warning', ...place, message, hint: 'use letters, digits and _' });
  }
  if (!isEmpty(entry.value) && !isMap(entry.value)) {
    const message = `${name} is ignored: a group is a mapping of hosts, children and vars`;
    diagnostics.push({ severity: 'warning', ...yaml.placeOf(entry.value), message });
    return draft.groups.has(name) ? name : undefined;
  }
  draft.group(name);
  if (!isMap(entry.value)) return name;
  if (open.has(entry.value)) {
    diagnostics.push({ severity: 'error', ...place, message: `group ${name} contains itself through a YAML alias` });
    return name;
  }
  readContent({ ...reading, open: new Set([...open, entry.value]) }, name, entry.value);
  return name;
}

function readContent(reading: OpenReading, name: string, node: YAMLMap): void {
  const { yaml, diagnostics } = reading;
  const content = entriesOf(yaml, node);
  for (const { key } of content) {
    const found = String(key.value);
    if (sections.some((section) => section === found)) continue;
    const message = `group ${name}: ${found} is ignored`;
    const hint = suggestion(found, sections) ?? 'a group has hosts, children and vars; hosts belong under hosts';
    diagnostics.push({ severity: 'warning', ...yaml.placeOf(key), message, hint });
  }
  // In the order of the file: of two values of a host the later one holds.
  for (const part of content)
    if (sections.some((section) => section === part.key.value)) readSection(reading, name, part);
}

function readSection(reading: OpenReading, group: string, { key, value }: Entry): void {
  const { yaml, diagnostics } = reading;
  if (isEmpty(value)) return;
  if (key.value === 'vars') return readGroupVars(reading, group, value);
  const isChildren = key.value === 'children';
  const read = isChildren ? readChild : readHost;
  if (isScalar(value) && typeof value.value === 'string') return read(reading, group, { key: value, value: null });
  if (isMap(value)) {
    for (const entry of entriesOf(yaml, value)) read(reading, group, entry);
    return;
  }
  const message = `group ${group}: ${String(key.value)} must be a mapping, not a list`;
  const hint = isChildren ? 'write each child as a key: `web:`' : 'write each host as a key: `web01:`';
  diagnostics.push({ severity: 'error', ...yaml.placeOf(value), message, hint });
}

function readGroupVars({ yaml, draft, diagnostics }: SourceReading, group: string, node: unknown): void {
  draft.addGroupVariables(group, readVariables(yaml, node, { layer: `group ${group}`, diagnostics }), diagnostics);
}

function readChild(reading: OpenReading, group: string, entry: Entry): void {
  const { yaml, draft, diagnostics } = reading;
  const place = yaml.placeOf(entry.key);
  const child = readGroup(reading, entry);
  if (child === undefined) return;
  if (child === 'all' || child === group) {
    diagnostics.push({ severity: 'error', ...place, message: `group ${child} cannot be a child of ${group}: a loop` });
  } else draft.addChild(group, child, place);
}

function readHost(reading: SourceReading, group: string, entry: Entry): void {
  const { yaml, draft, diagnostics } = reading;
  const key = nameOf(reading, entry, 'host');
  if (key === undefined) return;
  const place = yaml.placeOf(entry.key);
  const expanded = expandHosts(key);
  if (!expanded.ok) {
    diagnostics.push({ severity: 'error', ...place, message: expanded.message });
    return;
  }
  yaml.nodes.spend(expanded.names.length * costOfName);
  if (!isEmpty(entry.value) && !isMap(entry.value)) {
    const message = `host ${key} must be a mapping of variables or empty`;
    diagnostics.push({ severity: 'error', ...yaml.placeOf(entry.value), message });
    return;
  }
  if (expanded.names.length === 0) {
    diagnostics.push({ severity: 'warning', ...place, message: `the range in "${key}" means no host` });
  }
  const layer = `host ${key}`;
  const port = expanded.port === undefined ? undefined : { value: expanded.port, origin: { ...place, layer } };
  const variables = readVariables(yaml, entry.value, { layer, diagnostics });
  draft.addHosts(group, { names: expanded.names, port, variables });
}
