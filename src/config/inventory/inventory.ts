// Ansible's inventories: sources in, hosts with all their variables out.
import { FettleError } from '../../domain/error.ts';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { readExtraVars } from './extra-vars.ts';
import { InventoryDraft } from './draft.ts';
import { loopsIn } from './loops.ts';
import type { Inventory, InventoryGroup } from './model.ts';
import { resolveVariables } from './precedence.ts';
import { readSources, type Source } from './sources.ts';
import { readNeighbours, type NeighbourVars } from './vars-files.ts';

export type { Inventory } from './model.ts';

export interface InventoryRequest {
  /** Files, directories and host lists (`a,b,`); later ones win. */
  readonly sources: readonly string[];
  /** `key=value` or `@file`; they win over everything. */
  readonly extraVars: readonly string[];
}

export interface LoadedInventory {
  readonly inventory: Inventory;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the sources and the `group_vars/` and `host_vars/` beside each, in a directory those at its top. What is wrong in them is a diagnostic; with an
 * error among them the inventory holds only what could be read. `FettleError('usage')` without any source.
 */
export async function loadInventory({ sources, extraVars }: InventoryRequest): Promise<LoadedInventory> {
  if (sources.length === 0) throw new FettleError('usage', 'no inventory is given', { hint: 'use -i FILE' });
  const diagnostics: Diagnostic[] = [];
  const draft = new InventoryDraft();
  const read = await readSources(sources, draft, diagnostics);
  draft.reconcile();
  const loops = loopsIn(draft);
  diagnostics.push(...loops, ...nameClashes(draft, sources[0] ?? ''));
  if (loops.length > 0) return { inventory: { hosts: new Map(), groups: new Map() }, diagnostics };
  const extra = await readExtraVars(extraVars, diagnostics);
  const neighbours = await readAllNeighbours(draft, read, diagnostics);
  const hosts = resolveVariables({ draft, neighbours, extra });
  const groups = new Map<string, InventoryGroup>();
  for (const { name, children, parents, hosts: direct } of draft.groups.values()) {
    groups.set(name, { name, children: [...children.keys()], parents: [...parents], hosts: [...direct] });
  }
  return { inventory: { hosts, groups }, diagnostics: unique(diagnostics) };
}

async function readAllNeighbours(
  draft: InventoryDraft,
  sources: readonly Source[],
  diagnostics: Diagnostic[],
): Promise<readonly NeighbourVars[]> {
  const byDirectory = new Map<string, NeighbourVars>();
  const neighbours: NeighbourVars[] = [];
  for (const { beside } of sources) {
    if (beside === undefined) continue;
    const known = byDirectory.get(beside);
    const names = { groups: draft.groups.keys(), hosts: draft.hosts.keys() };
    const read = known ?? (await readNeighbours({ beside, ...names, diagnostics }));
    byDirectory.set(beside, read);
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
    hint: 'a pattern with this name means the host, and the group only behind & and !',
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
