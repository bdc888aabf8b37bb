import { createHash } from 'node:crypto';
import { isMap, isScalar, visit } from 'yaml';
import type { Playbook } from '../../domain/playbook.ts';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { laterKeys } from './reserved-keys.ts';
import { settlePlaybook } from './defaults.ts';
import { playbookJsonSchema, playbookSchema } from './schema.ts';
import { schemaDiagnostics } from '../yaml/schema-diagnostics.ts';
import { entriesOf, readYaml, type YamlFile } from '../yaml/yaml.ts';

export interface LoadedPlaybook {
  /** Absent when there is an error among the diagnostics. */
  readonly playbook?: Playbook;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a playbook of `kind: patch`, version 1. Everything that is wrong with it is a diagnostic. */
export async function loadPlaybook(path: string): Promise<LoadedPlaybook> {
  const { yaml, diagnostics } = await readYaml(path, 'strict');
  if (yaml === undefined) return { diagnostics };
  const wrongKind = checkKind(yaml);
  if (wrongKind !== undefined) return { diagnostics: [...diagnostics, wrongKind] };
  const lost = lostKeys(yaml);
  if (lost.length > 0) return { diagnostics: [...diagnostics, ...lost] };
  const value = plainValue(yaml);
  if (value instanceof Error) {
    const message = `broken YAML: ${value.message}`;
    return { diagnostics: [...diagnostics, { severity: 'error', ...yaml.placeAt(0), message }] };
  }
  const read = playbookSchema.safeParse(value);
  if (!read.success) {
    const schema = playbookJsonSchema();
    return { diagnostics: [...diagnostics, ...schemaDiagnostics({ yaml, schema, laterKeys }, read.error.issues)] };
  }
  const sha256 = createHash('sha256').update(yaml.bytes).digest('hex');
  return { playbook: settlePlaybook(read.data, sha256), diagnostics };
}

/** The schema drops this key silently, and with it a condition such as one of `where`. */
function lostKeys(yaml: YamlFile): Diagnostic[] {
  const found: Diagnostic[] = [];
  visit(yaml.document, {
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== '__proto__') return;
      found.push({
        severity: 'error',
        ...yaml.placeOf(key),
        message: 'the key __proto__ cannot be used in a playbook',
      });
    },
  });
  return found;
}

/** An error where aliases multiply beyond reason. */
function plainValue(yaml: YamlFile): unknown {
  try {
    return yaml.nodes.plain(yaml.root);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Checked first, so that an inventory or another file is not reported key by key. */
function checkKind(yaml: YamlFile): Diagnostic | undefined {
  const refuse = (node: unknown, message: string, hint: string): Diagnostic => ({
    severity: 'error',
    ...yaml.placeOf(node),
    message,
    hint,
  });
  if (!isMap(yaml.root)) return refuse(yaml.root, 'this is not a playbook', 'it starts with: kind: patch');
  const entries = entriesOf(yaml, yaml.root);
  if (entries.some(({ key }) => key.value === 'kind')) return undefined;
  const isInventory = entries.some(({ key }) => ['all', 'ungrouped', 'plugin'].includes(String(key.value)));
  if (isInventory) return refuse(yaml.root, 'this is an inventory, not a playbook', 'pass it with -i');
  return refuse(yaml.root, 'the key kind is missing', 'a playbook starts with: kind: patch');
}
