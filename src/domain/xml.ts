// The part of XML 1.0 and of Namespaces in XML that hosts answer in: no document types, no entities of one's own.
import { FettleError } from './error.ts';

export interface XmlElement {
  /** URI; empty where none is declared. */
  readonly namespace: string;
  /** Without prefix. */
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** Character data that stands directly in it, joined. */
  readonly text: string;
}

interface XmlAttribute {
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
}

const maxDepth = 64;
const maxElements = 200_000;
const maxAttributes = 64;
const maxCharacters = 16 * 1024 * 1024;

/** Prefixes declared by one element, and what was declared around it. Linked, so that nothing is copied. */
interface Scope {
  readonly declared: ReadonlyMap<string, string>;
  readonly outer: Scope | undefined;
}

interface OpenElement {
  readonly tag: string;
  readonly namespace: string;
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlElement[];
  readonly scope: Scope;
  text: string;
}

const rootScope: Scope = {
  declared: new Map([
    ['xml', 'http://www.w3.org/XML/1998/namespace'],
    ['', ''],
  ]),
  outer: undefined,
};

/** Reads one document; time and memory grow with the text and no faster. Throws `parse`. */
export function parseXml(text: string): XmlElement {
  if (text.length > maxCharacters) throw malformed('it is too long', 0);
  return new Document(text).read();
}

class Document {
  readonly #text: string;
  readonly #open: OpenElement[] = [];
  #root: XmlElement | undefined;
  #at = 0;
  #elements = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.startsWith('\ufeff')) this.#at = 1;
  }

  read(): XmlElement {
    for (;;) {
      const markup = this.#text.indexOf('<', this.#at);
      this.#characters(markup < 0 ? this.#text.length : markup);
      if (markup < 0) break;
      this.#markup();
    }
    if (this.#root === undefined || this.#open.length > 0) throw malformed('it ends early', this.#at);
    return this.#root;
  }

  #characters(end: number): void {
    if (end === this.#at) return;
    const text = plain(this.#text.slice(this.#at, end), this.#at);
    this.#add(text);
    this.#at = end;
  }

  #add(text: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined) element.text += text;
    else if (text.trim() !== '') throw malformed('text outside of the root element', this.#at);
  }

  #markup(): void {
    if (this.#text.startsWith('</', this.#at)) this.#close();
    else if (this.#text.startsWith('<!--', this.#at)) this.#skip('<!--', '-->');
    else if (this.#text.startsWith('<![CDATA[', this.#at)) this.#add(this.#skip('<![CDATA[', ']]>'));
    else if (this.#text.startsWith('<?', this.#at)) this.#skip('<?', '?>');
    else if (this.#text.startsWith('<!', this.#at)) throw malformed('it has a document type', this.#at);
    else this.#begin();
  }

  #skip(start: string, end: string): string {
    const from = this.#at + start.length;
    const to = this.#text.indexOf(end, from);
    if (to < 0) throw malformed(`'${start}' does not end`, this.#at);
    this.#at = to + end.length;
    return this.#text.slice(from, to);
  }

  #begin(): void {
    if (this.#root !== undefined) throw malformed('it has a second root', this.#at);
    if (this.#open.length >= maxDepth) throw malformed('it is nested too deeply', this.#at);
    this.#elements += 1;
    if (this.#elements > maxElements) throw malformed('it has too many elements', this.#at);
    const start = this.#at;
    const [, tag] = this.#match(tagStart) ?? [];
    if (tag === undefined) throw malformed("'<' stands alone", start);
    const raw = this.#attributes();
    const scope = scopeOf(raw, this.#open.at(-1)?.scope ?? rootScope);
    const { namespace, name } = resolve(tag, scope, start);
    const attributes = raw.filter(([key]) => !isDeclaration(key)).map(([key, value]) => attributeOf(key, value, scope));
    const element = { tag, namespace, name, attributes, children: [], scope, text: '' };
    const [, slash] = this.#match(tagEnd) ?? [];
    if (slash === undefined) throw malformed(`the tag '${shown(tag)}' does not end`, start);
    this.#open.push(element);
    if (slash === '/') this.#finish();
  }

  #attributes(): readonly (readonly [key: string, value: string])[] {
    const found: [string, string][] = [];
    for (;;) {
      const at = this.#at;
      const match = this.#match(attributePattern);
      if (match === undefined) return found;
      const [, key = '', double, single] = match;
      if (found.length >= maxAttributes) throw malformed('an element has too many attributes', at);
      if (found.some(([known]) => known === key)) throw malformed(`'${shown(key)}' is given twice`, at);
      found.push([key, plain(double ?? single ?? '', at)]);
    }
  }

  #close(): void {
    const start = this.#at;
    const [, tag] = this.#match(closingTag) ?? [];
    if (tag === undefined || tag !== this.#open.at(-1)?.tag) throw malformed('a closing tag does not match', start);
    this.#finish();
  }

  #finish(): void {
    const element = this.#open.pop();
    if (element === undefined) throw malformed('a closing tag does not match', this.#at);
    const { namespace, name, attributes, children, text } = element;
    const done = { namespace, name, attributes, children, text };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = done;
    else parent.children.push(done);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}

const tagStart = /<([^\s=<>"'/&!?]+)/y;
const attributePattern = /\s+([^\s=<>"'/&]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const tagEnd = /\s*(\/?)>/y;
const closingTag = /<\/([^\s=<>"'/&]+)\s*>/y;

function isDeclaration(key: string): boolean {
  return key === 'xmlns' || key.startsWith('xmlns:');
}

function scopeOf(raw: readonly (readonly [string, string])[], outer: Scope): Scope {
  const declared = raw.filter(([key]) => isDeclaration(key));
  if (declared.length === 0) return outer;
  return { declared: new Map(declared.map(([key, uri]) => [key.slice('xmlns:'.length), uri])), outer };
}

function namespaceOf(prefix: string, scope: Scope | undefined): string | undefined {
  for (let inner = scope; inner !== undefined; inner = inner.outer) {
    const uri = inner.declared.get(prefix);
    if (uri !== undefined) return uri;
  }
  return undefined;
}

function resolve(tag: string, scope: Scope, at: number): { readonly namespace: string; readonly name: string } {
  const colon = tag.indexOf(':');
  const namespace = namespaceOf(tag.slice(0, Math.max(0, colon)), scope);
  if (namespace === undefined) throw malformed(`the prefix of '${shown(tag)}' is not declared`, at);
  return { namespace, name: tag.slice(colon + 1) };
}

/** An attribute without a prefix is in no namespace, whatever the default is. */
function attributeOf(key: string, value: string, scope: Scope): XmlAttribute {
  return key.includes(':') ? { ...resolve(key, scope, 0), value } : { namespace: '', name: key, value };
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function plain(text: string, at: number): string {
  const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  if (!lines.includes('&')) return lines;
  return lines.replace(/&(?:([a-zA-Z#0-9]{1,10});)?/g, (_, name: string | undefined) => {
    const value = name === undefined ? undefined : (entities.get(name) ?? numeric(name));
    if (value === undefined) throw malformed('it has an unknown entity', at);
    return value;
  });
}

function numeric(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name) ?? [];
  const point = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  const isCharacter = point > 0 && point <= 0x10_ffff && (point < 0xd800 || point > 0xdfff);
  return isCharacter ? String.fromCodePoint(point) : undefined;
}

function malformed(why: string, at: number): FettleError {
  return new FettleError('parse', `the XML cannot be read: ${why} (at character ${at})`);
}

function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The first child of that name. */
export function childOf(element: XmlElement | undefined, namespace: string, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.namespace === namespace && child.name === name);
}

/** Every element below of that name, in document order. */
export function descendants(element: XmlElement, namespace: string, name: string): readonly XmlElement[] {
  return element.children.flatMap((child) => [
    ...(child.namespace === namespace && child.name === name ? [child] : []),
    ...descendants(child, namespace, name),
  ]);
}

/** An attribute's value, whatever namespace it is in. */
export function attribute(element: XmlElement | undefined, name: string): string | undefined {
  return element?.attributes.find((candidate) => candidate.name === name)?.value;
}

const illegal = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** For text and for attribute values. Throws `command` on a character that XML 1.0 has no way to write. */
export function escapeXml(text: string): string {
  if (illegal.test(text))
    throw new FettleError('command', 'the text has a control character, which XML does not allow');
  return text.replace(/[&<>"\r\n\t]/g, (character) => escapes[character] ?? character);
}
