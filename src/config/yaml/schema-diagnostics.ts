// What zod reports, with the position in the file.
import { isCollection, isMap, isScalar } from 'yaml';
import type { z } from 'zod';
import type { Diagnostic, Place } from './diagnostic.ts';
import { suggestion } from './suggestion.ts';
import { follow, type YamlFile } from './yaml.ts';

type Issue = z.core.$ZodIssue;
type Placed = Diagnostic & Place;

export interface SchemaReading {
  readonly yaml: YamlFile;
  /** JSON Schema of the file, for the names of keys. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly laterKeys: ReadonlySet<string>;
}

/** One diagnostic for each mistake, at the key or value that it is about. */
export function schemaDiagnostics(reading: SchemaReading, issues: readonly Issue[]): Placed[] {
  const found = specific(issues).flatMap((issue) => explain(reading, issue, []));
  return found.toSorted((left, right) => left.line - right.line || left.column - right.column);
}

function explain(reading: SchemaReading, issue: Issue, above: readonly PropertyKey[]): Placed[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union') {
    const branch = meantBranch(issue.errors);
    if (branch !== undefined) return specific(branch).flatMap((inner) => explain(reading, inner, path));
  }
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(reading, path, key));
  const { place, isMissing } = locate(reading.yaml, path);
  if (isMissing) {
    const message = `${describe(path.slice(0, -1))}: the key ${String(path.at(-1))} is missing`;
    return [{ severity: 'error', ...place, message }];
  }
  return [{ severity: 'error', ...place, message: `${describe(path)}: ${wording(issue)}` }];
}

/** Without what only follows from an unknown key, such as a rule that is empty because its key is misspelt. */
function specific(issues: readonly Issue[]): readonly Issue[] {
  const at = ({ path }: Issue): string => JSON.stringify(path);
  const unknown = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(at));
  return issues.filter((issue) => issue.code !== 'custom' || !unknown.has(at(issue)));
}

/** The branch that was meant: the one whose own type fits, so that its mistakes lie deeper. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const isWrongKind = ({ code, path }: Issue): boolean =>
    path.length === 0 && (code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union');
  return branches.find((issues) => !issues.some(isWrongKind)) ?? branches.find((issues) => isChoice(issues));
}

function isChoice(issues: readonly Issue[]): boolean {
  return issues.length === 1 && issues[0]?.code === 'invalid_value';
}

function wording(issue: Issue): string {
  if (/^must |^needs |^runs /.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') return `must be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code === 'too_small' && issue.origin === 'array') return 'must not be empty';
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function unknownKey({ yaml, schema, laterKeys }: SchemaReading, path: readonly PropertyKey[], key: string): Placed {
  const place = keyPlace(yaml, path, key);
  const known = propertiesAt(schema, path);
  if (laterKeys.has(key)) {
    const message = `${describe([...path, key])} is not available in this version`;
    return { severity: 'error', ...place, message, hint: 'remove it for now' };
  }
  const hint = suggestion(key, known) ?? `known here: ${known.join(', ')}`;
  return { severity: 'error', ...place, message: `${describe(path)}: unknown key ${key}`, hint };
}

/** `rollout.waves[1].take`; the whole file for an empty path. */
function describe(path: readonly PropertyKey[]): string {
  const step = (so: string, key: PropertyKey): string =>
    typeof key === 'number' ? `${so}[${key}]` : `${so}${so === '' ? '' : '.'}${String(key)}`;
  return path.reduce<string>(step, '') || 'playbook';
}

/** The value's place; for a key that is missing, the place of what should hold it. */
function locate(yaml: YamlFile, path: readonly PropertyKey[]): { readonly place: Place; readonly isMissing: boolean } {
  let node = follow(yaml, yaml.root);
  let place = yaml.placeOf(node);
  for (const [depth, key] of path.entries()) {
    const next: unknown = isCollection(node) ? follow(yaml, node.get(key, true)) : undefined;
    const isWritten = isCollection(node) && node.has(key);
    if (!isWritten) return { place, isMissing: depth === path.length - 1 };
    place =
      isScalar(next) && next.range?.[0] !== next.range?.[1]
        ? yaml.placeOf(next)
        : keyPlace(yaml, path.slice(0, depth), key);
    node = next;
  }
  return { place, isMissing: false };
}

function keyPlace(yaml: YamlFile, path: readonly PropertyKey[], key: PropertyKey): Place {
  let node = follow(yaml, yaml.root);
  for (const step of path) node = isCollection(node) ? follow(yaml, node.get(step, true)) : undefined;
  if (!isMap(node)) {
    const item: unknown = isCollection(node) ? node.get(key, true) : node;
    return yaml.placeOf(item);
  }
  const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
  return yaml.placeOf(pair?.key ?? node);
}

/** Names of the keys that the JSON Schema knows at a path, through lists and alternatives. */
function propertiesAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let open = alternatives(schema);
  for (const key of path) {
    open = open.flatMap((part) => alternatives(typeof key === 'number' ? part['items'] : childOf(part, String(key))));
  }
  return [...new Set(open.flatMap((part) => Object.keys(asRecord(part['properties']))))];
}

function childOf(part: Readonly<Record<string, unknown>>, key: string): unknown {
  return asRecord(part['properties'])[key];
}

function alternatives(schema: unknown): Readonly<Record<string, unknown>>[] {
  const part = asRecord(schema);
  const more = part['anyOf'] ?? part['oneOf'];
  return [part, ...(Array.isArray(more) ? more.flatMap(alternatives) : [])];
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
