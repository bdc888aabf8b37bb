// One inventory file in Ansible's YAML structure: group → vars, children, hosts.
import { extname } from 'node:path';
import { isMap, isScalar } from 'yaml';
import type { YAMLMap } from 'yaml';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { expandHosts } from './host-range.ts';
import type { InventoryDraft } from './draft.ts';
import { suggestion } from '../yaml/suggestion.ts';
import { readVariables, type Variables } from './variables.ts';
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

/** Adds the content of the file to the draft. */
export function readSource(reading: SourceReading): void {
  const { yaml, diagnostics } = reading;
  const root = follow(yaml, yaml.root);
  if (isEmpty(root)) {
    diagnostics.push({ severity: 'warning', ...yaml.placeOf(root), message: 'the inventory is empty' });
    return;
  }
  if (!isMap(root)) {
    const hint = 'it starts with groups, as in: all: {hosts: {web01: {}}}';
    diagnostics.push({
      severity: 'error',
      ...yaml.placeOf(root),
      message: 'an inventory is a mapping of groups',
      hint,
    });
    return;
  }
  const entries = entriesOf(yaml, root);
  const foreign = entries.find(({ key }) => key.value === 'plugin' || key.value === 'kind');
  if (foreign !== undefined) {
    const isPlugin = foreign.key.value === 'plugin';
    const message = isPlugin
      ? 'inventory plugins are not supported in this version'
      : 'this is not an inventory: it has the key kind';
    const hint = isPlugin
      ? 'write its result to a file: ansible-inventory -i FILE --list --yaml --output hosts.yaml'
      : 'pass the inventory with -i and the playbook as an argument';
    diagnostics.push({ severity: 'error', ...yaml.placeOf(foreign.key), message, hint });
    return;
  }
  for (const entry of entries) readGroup({ ...reading, open: new Set() }, entry);
}

/** The diagnostic for a file that is an inventory of another kind, judged before it is parsed. */
export function foreignInventory(file: string, text: string): Pick<Diagnostic, 'message' | 'hint'> | undefined {
  const hint = `convert it: ansible-inventory -i ${file} --list --yaml --output hosts.yaml`;
  if (text.startsWith('#!')) {
    return { message: 'inventory scripts are not supported in this version', hint };
  }
  const line = text.split('\n').find((one) => /^\s*[^\s#;]/.test(one)) ?? '';
  const [name = '', ...settings] = line.trimEnd().split(/\s+/);
  const isHostLine = /^[\w.-]+$/.test(name) && settings.length > 0 && settings.every((word) => /^[\w-]+=/.test(word));
  const isIni = /^\s*\[[^\]]*\]\s*([#;].*)?$/.test(line) || isHostLine;
  if (!isIni && !['.ini', '.cfg'].includes(extname(file))) return undefined;
  return { message: 'INI inventories are not supported in this version', hint };
}

function isEmpty(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

/** The name a key stands for; a key that is no text is an error. */
function nameOf({ yaml, diagnostics }: SourceReading, { key }: Entry, what: string): string | undefined {
  if (typeof key.value === 'string' && key.value.trim() !== '') return key.value.trim();
  const shown = key.source ?? String(key.value);
  const message = `${shown === '' ? 'an empty key' : shown} is no ${what} name`;
  diagnostics.push({ severity: 'error', ...yaml.placeOf(key), message, hint: 'quote it' });
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
  draft.group(name);
  if (isEmpty(entry.value)) return name;
  if (!isMap(entry.value)) {
    const message = `group ${name} must be a mapping of hosts, children and vars`;
    diagnostics.push({ severity: 'error', ...yaml.placeOf(entry.value), message });
    return name;
  }
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
  for (const section of sections) {
    const part = content.find(({ key }) => key.value === section);
    if (part !== undefined) readSection(reading, name, part);
  }
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
  const variables = readVariables(yaml, node, { layer: `group ${group}`, diagnostics });
  const priority = variables.get('ansible_group_priority');
  if (priority !== undefined) {
    variables.delete('ansible_group_priority');
    const value = Number(priority.value);
    if (Number.isInteger(value)) draft.group(group).priority = value;
    else
      diagnostics.push({
        severity: 'error',
        ...priority.origin,
        message: 'ansible_group_priority must be a whole number',
      });
  }
  draft.group(group).layers.push(variables);
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
  const layer = `host ${key}`;
  const layers: Variables[] = [];
  if (expanded.port !== undefined) {
    layers.push(new Map([['ansible_port', { value: expanded.port, origin: { ...place, layer } }]]));
  }
  if (!isEmpty(entry.value)) layers.push(readVariables(yaml, entry.value, { layer, diagnostics }));
  for (const name of expanded.names) draft.addHost(group, name).layers.push(...layers);
}
