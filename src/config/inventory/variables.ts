// The variables of one mapping: values, places and what is wrong with them.
import { isMap, isNode, isScalar, visit } from 'yaml';
import type { Scalar } from 'yaml';
import { FettleError } from '../../domain/error.ts';
import { Secret } from '../../domain/secret.ts';
import { secretName } from '../../domain/secret-text.ts';
import type { Diagnostic, Place } from '../yaml/diagnostic.ts';
import { checkName, isSetting } from './variable-names.ts';
import { entriesOf, follow, type YamlFile } from '../yaml/yaml.ts';

/** Where a value comes from; `layer` describes it: `group web`, `group_vars/web.yml`, `extra variables`. */
interface Origin extends Place {
  readonly layer: string;
}

export interface Variable {
  /** Secrets are `Secret` at whatever depth; a template and what is encrypted keep their text. */
  readonly value: unknown;
  readonly origin: Origin;
  /** Why no setting can be taken from it: an error of each host that needs it. */
  readonly problem?: Diagnostic;
}

export type Variables = ReadonlyMap<string, Variable>;

export interface ReadOptions {
  readonly layer: string;
  readonly diagnostics: Diagnostic[];
}

/** Reads a mapping of variables; what is wrong is appended to `diagnostics`. */
export function readVariables(yaml: YamlFile, node: unknown, options: ReadOptions): Map<string, Variable> {
  const { layer, diagnostics } = options;
  const variables = new Map<string, Variable>();
  const mapping = follow(yaml, node);
  if (mapping === null || mapping === undefined || (isScalar(mapping) && mapping.value === null)) return variables;
  if (!isMap(mapping)) {
    const place = yaml.placeOf(mapping);
    diagnostics.push({ severity: 'error', ...place, message: `${layer}: variables must be a mapping of name: value` });
    return variables;
  }
  for (const { key, value } of entriesOf(yaml, mapping)) {
    const place = yaml.placeOf(key);
    const name = String(key.value);
    if (typeof key.value !== 'string') {
      const message = `${name} is the name of a variable, but it is not text`;
      diagnostics.push({ severity: 'warning', ...place, message, hint: 'quote it' });
    }
    const plain = plainValue({ yaml, name: key, value, diagnostics });
    if (plain === undefined) continue;
    const problem = isSetting(name) ? problemOf(yaml, value) : undefined;
    addVariable(
      variables,
      { name, value: plain, place, layer, ...(problem === undefined ? {} : { problem }) },
      options,
    );
  }
  return variables;
}

export interface ReadValue {
  readonly name: string;
  readonly value: unknown;
  readonly place: Place;
  readonly layer: string;
  readonly problem?: Diagnostic;
}

/** One value that was read, whatever the file: its name checked, secrets sealed. */
export function addVariable(
  variables: Map<string, Variable>,
  { name, value, place, layer, problem }: ReadValue,
  { diagnostics }: Pick<ReadOptions, 'diagnostics'>,
): void {
  const wrong = checkName(name);
  if (wrong !== undefined) diagnostics.push({ ...wrong, ...place });
  // Whether passwords are used is no secret.
  const isSecret = secretName.test(name) && (typeof value !== 'boolean' || isSetting(name));
  if (isSecret && isSetting(name) && (typeof value === 'number' || typeof value === 'boolean')) {
    const message = `${name} is parsed as a ${typeof value}, not as text`;
    diagnostics.push({ severity: 'warning', ...place, message, hint: 'quote it' });
  }
  const isCollection = typeof value === 'object' && value !== null;
  const origin = { ...place, layer };
  const safe = isCollection || isSecret ? sealed(value, isSecret) : value;
  variables.set(name, { value: safe, origin, ...(problem === undefined ? {} : { problem }) });
}

const template = /\{\{|\{%/;

/** What no setting can be taken from: tags of Ansible that hide a value, and templates. */
function problemOf(yaml: YamlFile, value: unknown): Diagnostic | undefined {
  if (!isNode(value)) return undefined;
  let found: Diagnostic | undefined;
  visit(value, {
    Node(_, node) {
      const tag = 'tag' in node && typeof node.tag === 'string' ? node.tag : '';
      const isTemplate = isScalar(node) && typeof node.value === 'string' && template.test(node.value);
      const place = (): Place => yaml.placeOf(node);
      if (tag === '!vault' || tag === '!vault-encrypted') found = encrypted(tag, place());
      else if (tag.startsWith('!') && tag !== '!unsafe') found = unknownTag(tag, place());
      else if (isTemplate && tag !== '!unsafe') found = templated(place());
      return found === undefined ? undefined : visit.BREAK;
    },
  });
  return found;
}

function encrypted(tag: string, place: Place): Diagnostic {
  const hint = 'remove it and use --password-file, --become-password-file, -k or -K';
  return { severity: 'error', ...place, message: `${tag} values are not supported in this version`, hint };
}

function unknownTag(tag: string, place: Place): Diagnostic {
  const message = `the tag ${tag} is not supported in this version`;
  return { severity: 'error', ...place, message, hint: 'write a plain value' };
}

/** The problem of a setting that is a template; undefined for any other text. */
export function templateProblem(name: string, value: unknown, place: Place): Diagnostic | undefined {
  return isSetting(name) && typeof value === 'string' && template.test(value) ? templated(place) : undefined;
}

function templated(place: Place): Diagnostic {
  const message = 'templates ({{ … }}) are not supported in this version';
  const hint =
    'write the value itself; for a password remove it and use --password-file, --become-password-file, -k or -K';
  return { severity: 'error', ...place, message, hint };
}

interface OneVariable {
  readonly yaml: YamlFile;
  readonly name: Scalar;
  readonly value: unknown;
  readonly diagnostics: Diagnostic[];
}

function plainValue({ yaml, name, value, diagnostics }: OneVariable): unknown {
  if (!isNode(value)) return null;
  try {
    return yaml.nodes.plain(value);
  } catch (error) {
    if (error instanceof FettleError) throw error;
    const isEndless = error instanceof RangeError;
    const reason = isEndless ? 'it contains itself' : error instanceof Error ? error.message : String(error);
    diagnostics.push({ severity: 'error', ...yaml.placeOf(name), message: `the value cannot be read: ${reason}` });
    return undefined;
  }
}

/** The value with everything below a secret's name made a `Secret`. */
function sealed(value: unknown, isSecret: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => sealed(item, isSecret));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, sealed(item, isSecret || secretName.test(key))]));
  }
  return isSecret && value !== null && value !== undefined
    ? new Secret(typeof value === 'string' ? value : JSON.stringify(value))
    : value;
}
