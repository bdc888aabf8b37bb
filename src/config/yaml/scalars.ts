// Plain scalars as PyYAML resolves them (resolver.py and constructor.py of PyYAML 6), which is what Ansible reads.
import { visit } from 'yaml';
import type { Document, ScalarTag, Tags } from 'yaml';

const prefix = 'tag:yaml.org,2002:';

const nullWord = /^(?:~|null|Null|NULL|)$/;
const booleanWord = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const trueWord = /^(?:yes|true|on)$/i;
const integer =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const float =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const jsonFloat = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
const timestamp =
  /^([0-9]{4})-([0-9][0-9]?)-([0-9][0-9]?)(?:[Tt]|[ \t]+)([0-9][0-9]?):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9][0-9]?)(?::([0-9]{2}))?))?$/;

/** The tags of a schema with PyYAML's scalars in place of the package's; `isJson`: numbers as JSON writes them too. */
export function ansibleTags(tags: Tags, isJson: boolean): Tags {
  const replaced = new Set(['null', 'bool', 'int', 'float', 'timestamp', 'binary'].map((name) => prefix + name));
  const kept = tags.filter((tag) => typeof tag === 'string' || !replaced.has(tag.tag));
  const scalars: readonly ScalarTag[] = [
    ...scalar('null', nullWord, () => null),
    ...scalar('bool', booleanWord, (text) => trueWord.test(text)),
    ...scalar('int', integer, readInteger),
    ...scalar('float', float, readFloat),
    ...scalar('timestamp', timestamp, readTimestamp),
    { tag: `${prefix}binary`, resolve: (text) => Buffer.from(text, 'base64').toString() },
  ];
  return [...kept, ...(isJson ? scalar('float', jsonFloat, Number).slice(0, 1) : []), ...scalars];
}

/** Twice: for what looks like it, and for whatever has the tag written before it. */
function scalar(name: string, test: RegExp, resolve: (text: string) => unknown): readonly ScalarTag[] {
  return [
    { tag: prefix + name, default: true, test, resolve },
    { tag: prefix + name, resolve: (text) => (name === 'float' ? readFloat(text) : resolve(text)) },
  ];
}

/** More than Python itself reads as a number; the work grows with the square. */
const mostDigits = 4_300;

/** A whole number; its digits as text where a number of JavaScript would be another one. */
function readInteger(written: string): number | string {
  if (written.length > mostDigits) return written;
  const text = written.replaceAll('_', '');
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/.exec(text) ?? [];
  const value = magnitude(digits);
  return value === undefined ? written : exactInteger(sign === '-' ? -value : value);
}

function magnitude(digits: string): bigint | undefined {
  if (digits.includes(':')) return digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n);
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits}` : digits;
  return /^0[bx]$/.test(octal) || !/^[0-9a-fA-Fbox]+$/.test(octal) ? undefined : BigInt(octal);
}

/** JavaScript's numbers are exact up to 53 bits, and so is what reads the JSON that fettle prints: beyond, the digits as text. */
export function exactInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function readFloat(written: string): number | string {
  const text = written.replaceAll('_', '').toLowerCase();
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/.exec(text) ?? [];
  const value = digits.split(':').reduce((sum, part) => sum * 60 + floatOf(part), 0);
  if (Number.isNaN(value) && digits !== '.nan') return written;
  return sign === '-' ? -value : value;
}

function floatOf(text: string): number {
  return text === '.inf' ? Number.POSITIVE_INFINITY : Number(text);
}

/** Text in ISO 8601, which is what Ansible makes of a time; what is no time stays as it is written. */
function readTimestamp(written: string): string {
  const [, year, month, day, hour, minute, second, fraction, zone, sign, zoneHour, zoneMinute] =
    timestamp.exec(written) ?? [];
  if (hour === undefined) return written;
  const two = (text = '0'): string => text.padStart(2, '0');
  const text = `${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${second}`;
  const time = Date.parse(`${text}Z`);
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 19) !== text) return written;
  const micros = (fraction ?? '').slice(0, 6).padEnd(6, '0');
  const offset =
    zone === undefined ? '' : sign === undefined ? '+00:00' : offsetOf(sign, two(zoneHour), two(zoneMinute));
  return `${text}${micros === '000000' ? '' : `.${micros}`}${offset}`;
}

function offsetOf(sign: string, hour: string, minute: string): string {
  return `${hour === '00' && minute === '00' ? '+' : sign}${hour}:${minute}`;
}

/** The text with `%YAML 1.x` made a comment of the same length: PyYAML reads every 1.x by the same rules. */
export function withoutVersion(text: string): string {
  if (!text.includes('%YAML')) return text;
  const [head = ''] = /^\uFEFF?(?:[ \t]*(?:[#%][^\r\n]*)?(?:\r\n|\r|\n))*/.exec(text) ?? [];
  return head.replace(/^%(?=YAML[ \t]+1\.[0-9]+[ \t]*(?:#.*)?$)/gm, '#') + text.slice(head.length);
}

/** Where PyYAML folds lines otherwise than the package: at the end of a file without newline, and at U+2028 and U+2029. */
export function settleLines(document: Document.Parsed, text: string): void {
  const endsOpen = text.slice(text.lastIndexOf('\n') + 1).trim() !== '';
  const hasSeparators = /[\u2028\u2029]/.test(text);
  if (!endsOpen && !hasSeparators) return;
  visit(document, {
    Scalar(_, node) {
      const { value, type, source } = node;
      if (typeof value !== 'string') return;
      const isBlock = type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED';
      if (isBlock && endsOpen && (node.range?.[1] ?? 0) >= text.length) node.value = value.replace(/\n$/, '');
      if (!isBlock && hasSeparators && /[\u2028\u2029]/.test(source ?? '')) node.value = withoutBlanks(value);
    },
  });
}

/** Without the blanks beside U+2028 and U+2029. */
function withoutBlanks(text: string): string {
  const parts = text.split(/([\u2028\u2029])/);
  return parts
    .map((part, at) => {
      const from = at === 0 ? 0 : part.search(/[^ \t]|$/);
      const to = at === parts.length - 1 ? part.length : endOfText(part);
      return part.slice(from, Math.max(from, to));
    })
    .join('');
}

function endOfText(part: string): number {
  let to = part.length;
  while (part.charAt(to - 1) === ' ' || part.charAt(to - 1) === '\t') to -= 1;
  return to;
}
