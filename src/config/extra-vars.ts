import { isMap } from 'yaml';
import type { Diagnostic } from './diagnostic.ts';
import { readVariables, type Variable, type Variables } from './variables.ts';
import { parseYaml, readYaml, type YamlResult } from './yaml.ts';
import { splitWords } from './words.ts';

const file = '--extra-vars';
const layer = 'extra variables';

/** `key=value` (values are text), `@file` (YAML or JSON) and `{"key": …}`; later ones win. */
export async function readExtraVars(texts: readonly string[], diagnostics: Diagnostic[]): Promise<Variables> {
  const variables = new Map<string, Variable>();
  for (const text of texts) {
    const { yaml, diagnostics: found } = await readOne(text.trim());
    diagnostics.push(...found);
    if (yaml === undefined) continue;
    for (const [name, variable] of readVariables(yaml, yaml.root, { layer, diagnostics }))
      variables.set(name, variable);
  }
  return variables;
}

async function readOne(text: string): Promise<YamlResult> {
  if (text.startsWith('@')) return readYaml(text.slice(1), 'ansible');
  if (text.startsWith('{') || text.startsWith('[')) {
    const result = parseYaml({ file, text, dialect: 'ansible' });
    return isMap(result.yaml?.root) || result.yaml === undefined ? result : refuse('it must be a mapping');
  }
  const words = splitWords(text);
  if (words === undefined) return refuse('a quote is not closed');
  const wrong = words.find((word) => !/^[^=\s]+=/.test(word));
  if (wrong !== undefined || words.length === 0) return refuse('extra variables are key=value, @file or a JSON object');
  const pairs = words.map((word) => {
    const at = word.indexOf('=');
    return `${JSON.stringify(word.slice(0, at))}: ${JSON.stringify(word.slice(at + 1))}`;
  });
  return parseYaml({ file, text: pairs.join('\n'), dialect: 'ansible' });
}

function refuse(message: string): YamlResult {
  return { diagnostics: [{ severity: 'error', file, line: 1, column: 1, excerpt: '', message }] };
}
