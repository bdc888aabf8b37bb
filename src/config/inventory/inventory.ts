// Ansible's YAML inventories: sources in, hosts with all their variables out.
import { dirname } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { readExtraVars } from './extra-vars.ts';
import { InventoryDraft } from './draft.ts';
import { loopsIn } from './loops.ts';
import type { Inventory, InventoryGroup } from './model.ts';
import { resolveVariables } from './precedence.ts';
import { foreignInventory, readSource } from './source.ts';
import { readNeighbours, type NeighbourVars } from './vars-files.ts';
import { readYaml } from '../yaml/yaml.ts';

export type { Inventory } from './model.ts';

export interface InventoryRequest {
  /** Inventory files; later ones win. */
  readonly sources: readonly string[];
  /** `key=value` or `@file`; they win over everything. */
  readonly extraVars: readonly string[];
}

export interface LoadedInventory {
  readonly inventory: Inventory;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the sources and the `group_vars/` and `host_vars/` beside each. What is wrong in them is a diagnostic; with an
 * error among them the inventory holds only what could be read. `FettleError('usage')` without any source.
 */
export async function loadInventory({ sources, extraVars }: InventoryRequest): Promise<LoadedInventory> {
  if (sources.length === 0) throw new FettleError('usage', 'no inventory is given', { hint: 'use -i FILE' });
  const diagnostics: Diagnostic[] = [];
  const draft = new InventoryDraft();
  for (const source of sources) await readInto(draft, source, diagnostics);
  draft.reconcile();
  const loops = loopsIn(draft);
  diagnostics.push(...loops, ...nameClashes(draft, sources[0] ?? ''));
  if (loops.length > 0) return { inventory: { hosts: new Map(), groups: new Map() }, diagnostics };
  const extra = await readExtraVars(extraVars, diagnostics);
  const neighbours = await readAllNeighbours(draft, sources, diagnostics);
  const hosts = resolveVariables({ draft, neighbours, extra });
  const groups = new Map<string, InventoryGroup>();
  for (const { name, children, parents, hosts: direct } of draft.groups.values()) {
    groups.set(name, { name, children: [...children.keys()], parents: [...parents], hosts: [...direct] });
  }
  return { inventory: { hosts, groups }, diagnostics: unique(diagnostics) };
}

async function readInto(draft: InventoryDraft, source: string, diagnostics: Diagnostic[]): Promise<void> {
  const { yaml, text, diagnostics: found } = await readYaml(source, 'ansible');
  const foreign = text === undefined ? undefined : foreignInventory(source, text);
  if (foreign !== undefined) {
    diagnostics.push({ severity: 'error', file: source, ...foreign });
    return;
  }
  diagnostics.push(...found.map((diagnostic) => ({ ...diagnostic, ...explainMissing(diagnostic) })));
  if (yaml !== undefined) readSource({ yaml, draft, diagnostics });
}

/** Kinds of `-i` that Ansible takes and this version does not. */
function explainMissing({ file, message }: Diagnostic): Partial<Diagnostic> {
  if (message.startsWith('is a directory')) {
    return {
      message: 'directories as inventory are not supported in this version',
      hint: 'pass its files, each with -i',
    };
  }
  if (file.includes(',') && message.includes('no such file')) {
    return { message: 'host lists as inventory are not supported in this version', hint: 'write them into a file' };
  }
  return {};
}

async function readAllNeighbours(
  draft: InventoryDraft,
  sources: readonly string[],
  diagnostics: Diagnostic[],
): Promise<readonly NeighbourVars[]> {
  const byDirectory = new Map<string, NeighbourVars>();
  const neighbours: NeighbourVars[] = [];
  for (const source of sources) {
    const directory = dirname(source);
    const known = byDirectory.get(directory);
    const names = { groups: draft.groups.keys(), hosts: draft.hosts.keys() };
    const read = known ?? (await readNeighbours({ source, ...names, diagnostics }));
    byDirectory.set(directory, read);
    neighbours.push(read);
  }
  return neighbours;
}

function nameClashes(draft: InventoryDraft, file: string): Diagnostic[] {
  const clashes = [...draft.hosts.keys()].filter((name) => draft.groups.has(name));
  return clashes.map((name) => ({
    severity: 'warning',
    file,
    message: `${name} is the name of a host and of a group`,
    hint: 'a pattern with this name means the group',
  }));
}

/** Each once, although a mapping that is merged or read for two sources is checked twice. */
function unique(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { file, line, column, message } = diagnostic;
    seen.set(`${file}:${line ?? 0}:${column ?? 0}:${message}`, diagnostic);
  }
  return [...seen.values()];
}
