// `group_vars/` and `host_vars/` beside an inventory.
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileProblem } from '../../base/file-problem.ts';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { readVariables, type Variable, type Variables } from './variables.ts';
import { readYaml } from '../yaml/yaml.ts';

/** The variable files beside one inventory, by the name of the group or host. */
export interface NeighbourVars {
  readonly groups: ReadonlyMap<string, Variables>;
  readonly hosts: ReadonlyMap<string, Variables>;
}

const extensions = ['', '.yml', '.yaml', '.json'];

export interface NeighbourReading {
  /** The directory of the inventory. */
  readonly beside: string;
  readonly groups: Iterable<string>;
  readonly hosts: Iterable<string>;
  readonly diagnostics: Diagnostic[];
}

/** Reads what belongs to groups and hosts that exist; files of other names are another inventory's. */
export async function readNeighbours({ beside, groups, hosts, diagnostics }: NeighbourReading): Promise<NeighbourVars> {
  return {
    groups: await readFolder({ folder: join(beside, 'group_vars'), label: 'group_vars', names: groups, diagnostics }),
    hosts: await readFolder({ folder: join(beside, 'host_vars'), label: 'host_vars', names: hosts, diagnostics }),
  };
}

interface FolderReading {
  readonly folder: string;
  readonly label: string;
  readonly names: Iterable<string>;
  readonly diagnostics: Diagnostic[];
}

async function readFolder({
  folder,
  label,
  names,
  diagnostics,
}: FolderReading): Promise<ReadonlyMap<string, Variables>> {
  const found = new Map<string, Variables>();
  const present = new Set(await list(folder, diagnostics));
  if (present.size === 0) return found;
  for (const name of names) {
    const files = extensions.map((extension) => `${name}${extension}`).filter((file) => present.has(file));
    const [first, ...others] = files;
    if (first === undefined) continue;
    for (const other of others) {
      const message = `is ignored: ${join(label, first)} takes precedence`;
      diagnostics.push({ severity: 'warning', file: join(folder, other), message });
    }
    const variables = new Map<string, Variable>();
    for (const file of await filesUnder(join(folder, first), diagnostics)) {
      const layer = join(label, file.slice(folder.length + 1));
      for (const [key, variable] of await readFileVars(file, layer, diagnostics)) variables.set(key, variable);
    }
    found.set(name, variables);
  }
  return found;
}

async function list(folder: string, diagnostics: Diagnostic[]): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))) return [];
    diagnostics.push({ severity: 'error', file: folder, message: `cannot be opened: ${fileProblem(error)}` });
    return [];
  }
}

/** The file itself, or every variable file below the directory, sorted; hidden ones and backups are left out. */
async function filesUnder(path: string, diagnostics: Diagnostic[]): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [path];
  const files: string[] = [];
  for (const name of await list(path, diagnostics)) {
    if (name.startsWith('.') || name.endsWith('~')) continue;
    const inner = join(path, name);
    const isDirectory = (await stat(inner).catch(() => undefined))?.isDirectory() === true;
    if (isDirectory && extname(name) === '') files.push(...(await filesUnder(inner, diagnostics)));
    else if (!isDirectory && extensions.includes(extname(name))) files.push(inner);
    else {
      const message = isDirectory
        ? 'is ignored: directories of variable files have no extension'
        : 'is ignored: the names of variable files end in .yml, .yaml, .json or have no extension';
      diagnostics.push({ severity: 'warning', file: inner, message });
    }
  }
  return files;
}

async function readFileVars(file: string, layer: string, diagnostics: Diagnostic[]): Promise<Variables> {
  const { yaml, diagnostics: found } = await readYaml(file, 'ansible');
  diagnostics.push(...found);
  if (yaml === undefined) return new Map();
  const variables = readVariables(yaml, yaml.root, { layer, diagnostics });
  const priority = variables.get('ansible_group_priority');
  if (priority !== undefined) {
    const message = 'ansible_group_priority has an effect only inside the inventory';
    diagnostics.push({ severity: 'warning', ...priority.origin, message });
  }
  return variables;
}
