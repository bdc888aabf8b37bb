// One inventory, read by fettle and by Ansible, in one form.
import { existsSync } from 'node:fs';
import { loadInventory, type Inventory } from '../../src/config/inventory/inventory.ts';
import { matchHosts } from '../../src/config/inventory/selector.ts';
import { formatDiagnostic } from '../../src/config/yaml/diagnostic.ts';
import { Secret } from '../../src/domain/secret.ts';
import { LineProcess } from './line-process.ts';

export interface Selected {
  readonly select: string;
  readonly limit?: string;
}

export interface ReadingRequest {
  readonly sources: readonly string[];
  readonly extraVars: readonly string[];
  readonly patterns: readonly Selected[];
}

export interface Reading {
  readonly hosts: Readonly<Record<string, { readonly groups: readonly string[]; readonly variables: object }>>;
  readonly groups: Readonly<
    Record<string, { readonly children: readonly string[]; readonly hosts: readonly string[] }>
  >;
  /** Hosts of each pattern, sorted; null where it is refused. */
  readonly selected: readonly (readonly string[] | null)[];
}

export type Answer = Reading | { readonly refused: string };

/** Debian's package has it below the system's Python. */
export const hasAnsible = ['/usr/lib/python3/dist-packages/ansible', '/usr/lib/python3/site-packages/ansible'].some(
  (path) => existsSync(path),
);

export class AnsiblePeer extends LineProcess {
  constructor() {
    super({ file: 'python3', words: ['-W', 'ignore', new URL('ansible_inventory.py', import.meta.url).pathname] });
  }

  async read(request: ReadingRequest): Promise<Answer> {
    this.write(JSON.stringify(request));
    const answer = JSON.parse(await this.next()) as Answer;
    if ('refused' in answer) return answer;
    return { ...answer, selected: answer.selected.map((hosts) => hosts?.toSorted() ?? null) };
  }
}

export async function readHere({ sources, extraVars, patterns }: ReadingRequest): Promise<Answer> {
  const { inventory, diagnostics } = await loadInventory({ sources, extraVars });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return { refused: errors.map(formatDiagnostic).join('\n') };
  const hosts = [...inventory.hosts].map(([name, { groups, variables }]) => {
    const values = [...variables].map(([key, { value }]) => [key, open(value)] as const);
    return [name, { groups, variables: Object.fromEntries(values) }] as const;
  });
  const groups = [...inventory.groups].map(
    ([name, found]) => [name, { children: found.children.toSorted(), hosts: found.hosts.toSorted() }] as const,
  );
  return {
    hosts: Object.fromEntries(hosts),
    groups: Object.fromEntries(groups),
    selected: patterns.map((pattern) => selectedHere(inventory, pattern)),
  };
}

function selectedHere(inventory: Inventory, { select, limit }: Selected): readonly string[] | null {
  try {
    const selected = matchHosts(inventory, select, { allowMissing: true });
    const limited = limit === undefined ? undefined : matchHosts(inventory, limit, { allowMissing: true });
    return [...selected].filter((name) => limited?.has(name) !== false).toSorted();
  } catch {
    return null;
  }
}

/** Secrets as their text, and numbers that JSON lacks as Python calls them. */
function open(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, open(item)]));
}
