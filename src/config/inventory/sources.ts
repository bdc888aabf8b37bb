// What `-i` may name, as Ansible decides it: host lists, directories, and files in YAML or INI.
import { accessSync, constants } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { isScalar } from 'yaml';
import { fileProblem } from '../../base/file-problem.ts';
import { inventoryNameProblem } from '../../domain/plain-name.ts';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { parseYaml, readText, type YamlFile } from '../yaml/yaml.ts';
import { conversionHint } from './conversion.ts';
import type { InventoryDraft } from './draft.ts';
import { splitAddress } from './host-address.ts';
import { applyIni, parseIni } from './ini.ts';
import { holdsGroups, readSource } from './source.ts';

export interface Source {
  /** Where its `group_vars/` and `host_vars/` lie; a host list has none. */
  readonly beside: string | undefined;
}

/** Adds every source to the draft, in their order. */
export async function readSources(
  given: readonly string[],
  draft: InventoryDraft,
  diagnostics: Diagnostic[],
): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const source of given) {
    const found = await stat(source).catch(() => undefined);
    if (found === undefined && source.includes(',')) {
      readHostList(source, draft, diagnostics);
      sources.push({ beside: undefined });
    } else if (found?.isDirectory() === true) {
      await readDirectory({ directory: source, above: [], draft, diagnostics });
      sources.push({ beside: source });
    } else {
      await readFile(source, draft, diagnostics);
      sources.push({ beside: dirname(source) });
    }
  }
  return sources;
}

/** `a,b` and `a,`: names without ranges, possibly with ports. */
function readHostList(source: string, draft: InventoryDraft, diagnostics: Diagnostic[]): void {
  for (const word of source.split(',').map((part) => part.trim())) {
    if (word === '') continue;
    const { host, port } = (word.includes('[') && !word.endsWith(']') ? splitAddress(word) : undefined) ??
      (word.includes('[') ? undefined : splitAddress(word)) ?? { host: word, port: undefined };
    const problem = isIPv6(host) ? undefined : inventoryNameProblem(host);
    if (problem !== undefined) {
      const hint = 'a host list has plain names; ranges belong into a file';
      diagnostics.push({
        severity: 'error',
        file: source,
        message: `"${host}" is not a host name: it ${problem}`,
        hint,
      });
      continue;
    }
    if (draft.hosts.has(host)) continue;
    const place = { file: source, line: 1, column: 1, excerpt: '' };
    const variable = { value: Number(port), origin: { ...place, layer: `host ${word}` } };
    const entry = { names: [host], port: port === undefined ? undefined : variable, variables: new Map() };
    draft.addHosts('ungrouped', entry);
  }
}

/** Names and endings that Ansible passes over in a directory. */
const ignored =
  /^\.|^(?:host_vars|group_vars|vars_plugins)$|(?:\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)|~)$/;

interface DirectoryReading {
  readonly directory: string;
  /** Real paths of the directories that it lies in. */
  readonly above: readonly string[];
  readonly draft: InventoryDraft;
  readonly diagnostics: Diagnostic[];
}

async function readDirectory({ directory, above, draft, diagnostics }: DirectoryReading): Promise<void> {
  let names: string[];
  let real: string;
  try {
    real = await realpath(directory);
    names = (await readdir(directory)).filter((name) => !ignored.test(name)).sort();
  } catch (error) {
    diagnostics.push({ severity: 'error', file: directory, message: `cannot be opened: ${fileProblem(error)}` });
    return;
  }
  if (above.includes(real)) {
    diagnostics.push({ severity: 'error', file: directory, message: 'is a symbolic link to a directory it lies in' });
    return;
  }
  if (names.length === 0) diagnostics.push({ severity: 'warning', file: directory, message: 'holds no inventory' });
  for (const name of names) {
    const path = join(directory, name);
    const isDirectory = (await stat(path).catch(() => undefined))?.isDirectory() === true;
    if (isDirectory) await readDirectory({ directory: path, above: [...above, real], draft, diagnostics });
    else await readFile(path, draft, diagnostics);
  }
}

const yamlEndings = new Set(['', '.yaml', '.yml', '.json']);

/** YAML where the file is a mapping in YAML and its ending allows it, else INI. */
async function readFile(file: string, draft: InventoryDraft, diagnostics: Diagnostic[]): Promise<void> {
  const read = await readText(file, { comments: true });
  if (!('text' in read)) {
    diagnostics.push(read);
    return;
  }
  const { text } = read;
  const foreign = foreignInventory(file, text);
  if (foreign !== undefined) {
    diagnostics.push({ severity: 'error', file, ...foreign });
    return;
  }
  // What begins like that is never a mapping in YAML, and long to read as one.
  const isPlainlyIni = looksLikeIni(text);
  const { yaml, diagnostics: found } =
    yamlEndings.has(extname(file)) && !isPlainlyIni
      ? parseYaml({ ...read, dialect: 'ansible' })
      : { yaml: undefined, diagnostics: [] };
  if (yaml === undefined || !holdsGroups(yaml)) {
    const ini = parseIni({ file, text });
    const isIni = !yamlEndings.has(extname(file)) || ini.diagnostics.every(({ severity }) => severity === 'warning');
    if (isIni || isPlainlyIni || isText(yaml)) {
      diagnostics.push(...ini.diagnostics);
      applyIni(ini, draft, diagnostics);
      if (ini.statements.length === 0 && ini.diagnostics.length === 0)
        diagnostics.push({ severity: 'warning', file, message: 'the inventory is empty' });
      return;
    }
  }
  diagnostics.push(...found);
  if (yaml !== undefined) readSource({ yaml, draft, diagnostics });
}

/** Kinds of inventories that are no data: what only Ansible can read. */
function foreignInventory(file: string, text: string): Pick<Diagnostic, 'message' | 'hint'> | undefined {
  const hint = conversionHint(file);
  // Ansible runs what may be run, and reads the others.
  if (text.startsWith('#!') && mayRun(file)) {
    return { message: 'is a script, and inventory scripts are not supported in this version', hint };
  }
  if (extname(file) === '.toml') return { message: 'TOML inventories are not supported in this version', hint };
  return undefined;
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Words without any structure of YAML. */
function isText(yaml: YamlFile | undefined): boolean {
  return isScalar(yaml?.root) && typeof yaml.root.value === 'string';
}

/** Whether a section comes first, or a host with variables and no colon. */
function looksLikeIni(text: string): boolean {
  const line = /^(?:[ \t]*(?:[#;][^\n]*)?\r?\n)*([^\n]*)/.exec(text)?.[1] ?? '';
  return /^\s*\[[^\]\s,]+\]\s*(?:[#;].*)?$/.test(line) || /^\w[^\s:={}"']*\s+[\w-]+=[^:]*$/.test(line);
}
