// Files become YAML nodes that know their places; what cannot be read is a diagnostic.
import { readFile, stat } from 'node:fs/promises';
import { isScalar, LineCounter, visit } from 'yaml';
import type { Document, ParsedNode, YAMLMap } from 'yaml';
import { fileProblem } from '../../base/file-problem.ts';
import { placeIn, type Diagnostic, type Place } from './diagnostic.ts';
import { readDocument } from './document.ts';
import { isMergeKey, NodeReader, type Entry } from './entries.ts';
import { ansibleTags, settleLines, withoutVersion } from './scalars.ts';

export type { Entry } from './entries.ts';

/** `ansible`: YAML 1.1 as Ansible reads it (`yes` is true, merge keys). `strict`: YAML 1.2. */
export type YamlDialect = 'ansible' | 'strict';

export interface YamlFile {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly document: Document.Parsed;
  /** Null for an empty file. */
  readonly root: ParsedNode | null;
  readonly nodes: NodeReader;
  placeOf(node: unknown): Place;
  placeAt(offset: number): Place;
}

export interface YamlResult {
  /** Absent when there is nothing that could be read further. */
  readonly yaml?: YamlFile;
  /** Absent when the file could not be read as text. */
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

const fileLimitBytes = 64 * 1024 * 1024;

/** Reads and parses one file. Never throws for what the file is or holds. */
export async function readYaml(file: string, dialect: YamlDialect): Promise<YamlResult> {
  const read = await readText(file);
  return 'text' in read ? parseYaml({ ...read, dialect }) : { diagnostics: [read] };
}

/** A file as text, or why it cannot be that. Lines that begin with # or ; may hold other bytes than UTF-8 with `comments`. */
export async function readText(
  file: string,
  { comments = false } = {},
): Promise<Diagnostic | { readonly file: string; readonly bytes: Uint8Array; readonly text: string }> {
  const refuse = (message: string, hint?: string): Diagnostic => ({
    severity: 'error',
    file,
    message,
    ...(hint === undefined ? {} : { hint }),
  });
  let bytes: Uint8Array;
  try {
    const found = await stat(file);
    if (found.isDirectory()) return refuse('is a directory, not a file');
    if (found.size > fileLimitBytes) return refuse('is larger than 64 MiB');
    bytes = await readFile(file);
  } catch (error) {
    return refuse(`cannot be opened: ${fileProblem(error)}`, 'check its path and its permissions');
  }
  const text = decode(bytes) ?? (comments ? decode(withoutComments(bytes)) : undefined);
  if (text === undefined) return refuse('is not UTF-8 text', 'save it as UTF-8');
  if (text.startsWith('$ANSIBLE_VAULT;')) {
    return refuse(
      'is encrypted with ansible-vault, which is not supported in this version',
      'move what fettle needs of it into a file that is not encrypted, or pass it with -e @FILE',
    );
  }
  return { file, bytes, text };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function withoutComments(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  return Buffer.from(lines.map((line) => (/^[#;]/.test(line) ? '' : line)).join('\n'), 'latin1');
}

export interface YamlText {
  readonly file: string;
  readonly text: string;
  readonly dialect: YamlDialect;
  readonly bytes?: Uint8Array;
}

/** Parses text that is already read; `file` is what its places are called. */
export function parseYaml({ file, text, dialect, bytes }: YamlText): YamlResult {
  const counter = new LineCounter();
  const isAnsible = dialect === 'ansible';
  const document = readDocument(isAnsible ? withoutVersion(text) : text, {
    lineCounter: counter,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
    ...(isAnsible
      ? { version: '1.1', merge: true, customTags: (tags) => ansibleTags(tags, isJson(text)) }
      : { version: '1.2' }),
  });
  if (isAnsible) settleLines(document, text);
  const lines = text.split(/\r\n|\r|\n/);
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(Math.min(offset, text.length));
    return placeIn(file, lines, { line: Math.max(1, line), column: Math.max(1, col) });
  };
  const yaml: YamlFile = {
    file,
    bytes: bytes ?? Buffer.from(text),
    document,
    root: document.contents,
    nodes: new NodeReader(document, { file, merges: isAnsible }),
    placeAt,
    placeOf: (node) => placeAt(rangeOf(node)),
  };
  const diagnostics: Diagnostic[] = [];
  for (const error of document.errors) {
    const [message, hint] = explainSyntax(error.code, error.message);
    diagnostics.push({ severity: 'error', ...placeAt(error.pos[0]), message, ...(hint === undefined ? {} : { hint }) });
  }
  if (diagnostics.length > 0) return { text, diagnostics };
  for (const warning of document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED')) {
    diagnostics.push({ severity: 'warning', ...placeAt(warning.pos[0]), message: plain(warning.message) });
  }
  return { yaml, text, diagnostics: [...diagnostics, ...duplicateKeys(yaml)] };
}

/** Ansible reads what is JSON as JSON: `1e3` is a number there. */
function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function rangeOf(node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return 0;
  const [start] = node.range as unknown[];
  return typeof start === 'number' ? start : 0;
}

function plain(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '');
}

function explainSyntax(code: string, message: string): [message: string, hint?: string] {
  if (code === 'MULTIPLE_DOCS') return ['it contains several YAML documents', 'keep one; remove the line `---`'];
  if (code === 'TAB_AS_INDENT') return ['tabs cannot indent YAML', 'use spaces'];
  if (code === 'BAD_ALIAS' || code === 'BLOCK_AS_IMPLICIT_KEY')
    return [`broken YAML: ${plain(message)}`, 'quote the value'];
  return [`broken YAML: ${plain(message)}`];
}

function duplicateKeys(yaml: YamlFile): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  visit(yaml.document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key) || isMergeKey(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) {
          const message = `the key ${name} appears twice; the last one applies`;
          diagnostics.push({ severity: 'warning', ...yaml.placeOf(key), message });
        }
        seen.add(name);
      }
    },
  });
  return diagnostics;
}

/** The pairs of a mapping, merge keys (`<<`) laid under its own keys; of a duplicate the last. */
export function entriesOf(yaml: YamlFile, map: YAMLMap): readonly Entry[] {
  return yaml.nodes.entriesOf(map);
}

/** The node an alias means; any other node is itself. */
export function follow(yaml: YamlFile, node: unknown): unknown {
  return yaml.nodes.follow(node);
}
