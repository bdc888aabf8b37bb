// Reads the requests' XML: elements, attributes, text, namespaces; no document types.

export interface XmlElement {
  readonly namespace: string;
  readonly name: string;
  /** By the name as written. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All text directly inside, entities resolved. */
  readonly text: string;
}

interface OpenElement {
  readonly tag: string;
  readonly scope: ReadonlyMap<string, string>;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const tokens =
  /<\?[^>]*\?>|<!--[^]*?-->|<\/(?<close>[^\s>]+)\s*>|<(?<open>[^\s/>!?]+)(?<rest>(?:[^"'>]|"[^"]*"|'[^']*')*)>|(?<text>[^<]+)/gy;
const attributePattern = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The root element. Throws on anything that is not well-formed. */
export function parseXml(text: string): XmlElement {
  const document: OpenElement = { tag: '', scope: new Map(), attributes: new Map(), children: [], text: '' };
  const open = [document];
  let end = 0;
  for (const token of text.matchAll(tokens)) {
    end = token.index + token[0].length;
    take(open, token.groups ?? {});
  }
  const [root] = document.children;
  if (end !== text.length || open.length !== 1 || root === undefined || document.children.length !== 1) {
    throw new Error('the XML is not well-formed');
  }
  return root;
}

/** The first child of that name, in any namespace unless one is given. */
export function child(element: XmlElement | undefined, name: string, namespace?: string): XmlElement | undefined {
  return element?.children.find((one) => one.name === name && (namespace ?? one.namespace) === one.namespace);
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function take(open: OpenElement[], token: Readonly<Record<string, string | undefined>>): void {
  const inner = open.at(-1);
  if (inner === undefined) throw new Error('the XML ends before it ends');
  if (token['text'] !== undefined) inner.text += resolve(token['text']);
  else if (token['close'] !== undefined) {
    open.pop();
    if (inner.tag !== token['close']) throw new Error(`${inner.tag} is closed by ${token['close']}`);
    open.at(-1)?.children.push(finish(inner));
  } else if (token['open'] !== undefined) {
    const rest = token['rest'] ?? '';
    const begun = begin(token['open'], rest, inner.scope);
    if (rest.endsWith('/')) inner.children.push(finish(begun));
    else open.push(begun);
  }
}

function begin(tag: string, rest: string, outer: ReadonlyMap<string, string>): OpenElement {
  const attributes = new Map<string, string>();
  const scope = new Map(outer);
  for (const [, name = '', quoted, apostrophed] of rest.matchAll(attributePattern)) {
    const value = resolve(quoted ?? apostrophed ?? '');
    if (attributes.has(name)) throw new Error(`attribute ${name} is there twice`);
    attributes.set(name, value);
    if (name === 'xmlns') scope.set('', value);
    else if (name.startsWith('xmlns:')) scope.set(name.slice(6), value);
  }
  return { tag, scope, attributes, children: [], text: '' };
}

function finish({ tag, scope, attributes, children, text }: OpenElement): XmlElement {
  const [prefix, name] = tag.includes(':') ? tag.split(':', 2) : ['', tag];
  const namespace = scope.get(prefix ?? '');
  if (namespace === undefined && prefix !== '') throw new Error(`prefix ${prefix} is not declared`);
  return { namespace: namespace ?? '', name: name ?? '', attributes, children, text };
}

function resolve(text: string): string {
  return text.replace(/&(#x?)?([^;]*);?/g, (all, number: string | undefined, name: string) => {
    if (number !== undefined) return String.fromCodePoint(Number.parseInt(name, number === '#' ? 10 : 16));
    const found = entities[name];
    if (found === undefined) throw new Error(`${all} is no entity`);
    return found;
  });
}
