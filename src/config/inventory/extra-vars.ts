import { isMap } from 'yaml';
import { sealUrls } from '../../domain/secret-text.ts';
import { Secret } from '../../domain/secret.ts';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { readVariables, type Variable, type Variables } from './variables.ts';
import { parseYaml, readYaml, type YamlResult } from '../yaml/yaml.ts';
import { keyValues } from './key-values.ts';

const file = '--extra-vars';
const layer = 'extra variables';

/** `key=value` (values are text), `@file` (YAML or JSON) and `{"key": …}`; later ones win. */
export async function readExtraVars(texts: readonly string[], diagnostics: Diagnostic[]): Promise<Variables> {
  const variables = new Map<string, Variable>();
  for (const text of texts) {
    const { yaml, diagnostics: found } = await readOne(text.trim());
    diagnostics.push(...found);
    if (yaml === undefined) continue;
    for (const [name, variable] of readVariables(yaml, yaml.root, { layer, diagnostics })) {
      if (!text.trim().startsWith('@') && holdsSecret(variable.value)) diagnostics.push(openSecret(name));
      variables.set(name, variable);
    }
  }
  return variables;
}

/** One `-e` as it may be shown and recorded: read as above, secrets sealed; of a file its name alone. */
export function sealedExtraVars(text: string): string {
  const given = text.trim();
  if (given.startsWith('@')) return given;
  const { yaml } = readInline(given);
  // What is not understood ends the command, and may hold anything.
  if (yaml === undefined) return '***';
  const variables = readVariables(yaml, yaml.root, { layer, diagnostics: [] });
  const entries = [...variables].map(([name, { value }]): [string, unknown] => [name, value]);
  return sealUrls(JSON.stringify(Object.fromEntries(entries)));
}

function readOne(text: string): Promise<YamlResult> | YamlResult {
  return text.startsWith('@') ? readYaml(text.slice(1), 'ansible') : readInline(text);
}

function readInline(text: string): YamlResult {
  if (text.startsWith('{') || text.startsWith('[')) {
    const result = parseYaml({ file, text, dialect: 'ansible' });
    return isMap(result.yaml?.root) || result.yaml === undefined ? result : refuse('must be a mapping');
  }
  if (/^[./]/.test(text)) return refuse(`a file of extra variables has an @ before its name: @${text}`);
  const values = keyValues(text);
  if (values === undefined) return refuse('extra variables are key=value, @file or a JSON object');
  const pairs = values.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return parseYaml({ file, text: pairs.join('\n'), dialect: 'ansible' });
}

function refuse(message: string): YamlResult {
  return { diagnostics: [{ severity: 'error', file, message }] };
}

function holdsSecret(value: unknown): boolean {
  if (value instanceof Secret) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsSecret);
}

function openSecret(name: string): Diagnostic {
  return {
    severity: 'warning',
    file,
    message: `every user of this machine can read ${name} in the process list`,
    hint: 'pass passwords with -k, -K, --password-file or --become-password-file, other secrets with -e @FILE',
  };
}
