// The variables of one mapping: values, places and what is wrong with them.
import { isMap, isNode, isScalar, isSeq, visit } from 'yaml';
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
  /** Secrets are `Secret` at whatever depth. */
  readonly value: unknown;
  readonly origin: Origin;
}

export type Variables = ReadonlyMap<string, Variable>;

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
    if (typeof key.value !== 'string') {
      diagnostics.push({
        severity: 'error',
        ...place,
        message: `${String(key.value)} is not a variable name`,
        hint: 'quote it',
      });
      continue;
    }
    const problem = checkName(key.value);
    if (problem !== undefined) diagnostics.push({ ...problem, ...place });
    if (!isUnderstood({ yaml, name: key, value, diagnostics })) continue;
    const plain = plainValue({ yaml, name: key, value, diagnostics });
    if (plain !== undefined) variables.set(key.value, { value: plain, origin: { ...place, layer } });
  }
  return variables;
}

export interface ReadOptions {
  readonly layer: string;
  readonly diagnostics: Diagnostic[];
}

interface OneVariable {
  readonly yaml: YamlFile;
  readonly name: Scalar;
  readonly value: unknown;
  readonly diagnostics: Diagnostic[];
}

/** Tags and templates that this version cannot read: an error in a setting, else a warning. */
function isUnderstood({ yaml, name, value, diagnostics }: OneVariable): boolean {
  if (!isNode(value)) return true;
  const variable = String(name.value);
  const severity = isSetting(variable) ? 'error' : 'warning';
  const found: Diagnostic[] = [];
  const report = (node: unknown, what: string, hint: string): void => {
    const lost = severity === 'warning' ? `; ${variable} is ignored` : '';
    found.push({ severity, ...yaml.placeOf(node), message: `${what} in this version${lost}`, hint });
  };
  visit(value, {
    Node(_, node) {
      const tag = 'tag' in node && typeof node.tag === 'string' ? node.tag : '';
      if (tag === '!vault' || tag === '!vault-encrypted') {
        report(node, `${tag} values are not supported`, 'use a password file or -k/-K, or write the value decrypted');
      } else if (tag.startsWith('!') && tag !== '!unsafe') {
        report(node, `the tag ${tag} is not supported`, 'write a plain value');
      } else if (isScalar(node) && tag !== '!unsafe' && typeof node.value === 'string' && /\{\{|\{%/.test(node.value)) {
        report(node, 'templates ({{ … }}) are not supported', 'write the value itself');
      }
    },
  });
  diagnostics.push(...found);
  return found.length === 0;
}

function plainValue(variable: OneVariable): unknown {
  const { yaml, name, value, diagnostics } = variable;
  if (!isNode(value)) return null;
  try {
    const plain: unknown = yaml.nodes.plain(value);
    const isSecret = secretName.test(String(name.value));
    if (isSecret && (typeof plain === 'number' || typeof plain === 'boolean')) {
      const message = `${String(name.value)} is parsed as a ${typeof plain}, not as text`;
      diagnostics.push({ severity: 'warning', ...yaml.placeOf(name), message, hint: 'quote it' });
    }
    return isMap(value) || isSeq(value) || isSecret ? sealed(plain, isSecret) : plain;
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
