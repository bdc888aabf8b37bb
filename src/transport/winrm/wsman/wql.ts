// Queries without a process on the host: DSP0226 8 (enumeration), dialect WQL.
import { recordOf } from '../../../base/record.ts';
import type { WsmanClient } from './client.ts';
import { namespaces, type Message } from '../soap/envelope.ts';
import { failure } from '../http/endpoint.ts';
import { attribute, childOf, escapeXml, type XmlElement } from '../../../domain/xml.ts';

/** Null is `xsi:nil`; dates are text, as `cim:Datetime` or as `yyyymmddHHMMSS.ffffff±UUU`. */
type WqlValue = string | null | readonly (string | null)[];
export type WqlRow = Readonly<Record<string, WqlValue>>;

export interface WqlQuery {
  readonly query: string;
  /** WMI namespace with slashes; default `root/cimv2`. */
  readonly namespace?: string;
  readonly signal?: AbortSignal | undefined;
}

const maxElements = 32_000;
/** Bounds a host that never ends its answer. */
const maxPulls = 1_000;
const maxRows = 200_000;

/** All rows of a query. Throws the errors of the channel, and those of faults. */
export async function queryWql(
  client: WsmanClient,
  { query, namespace, signal }: WqlQuery,
): Promise<readonly WqlRow[]> {
  const resource = `http://schemas.microsoft.com/wbem/wsman/1/wmi/${namespace ?? 'root/cimv2'}/*`;
  const options = { phase: 'query', signal } as const;
  const first = await client.demand(enumerate(resource, query), options);
  let page = read(first, 'EnumerateResponse');
  const pages = [page.rows];
  let count = page.rows.length;
  for (let pulls = 0; page.context !== undefined; pulls += 1) {
    if (pulls === maxPulls || count > maxRows) {
      const hint = 'select fewer rows with a where clause';
      throw failure(client.endpoint, { code: 'command', phase: 'query', what: 'does not end its answer', hint });
    }
    page = read(await client.demand(pull(resource, page.context), options), 'PullResponse');
    pages.push(page.rows);
    count += page.rows.length;
  }
  return pages.flat();
}

function enumerate(resource: string, query: string): Message {
  const filter = `<w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">${escapeXml(query)}</w:Filter>`;
  const body = `<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>${maxElements}</w:MaxElements>${filter}</n:Enumerate>`;
  return { action: `${namespaces.n}/Enumerate`, resource, body };
}

function pull(resource: string, context: string): Message {
  const which = `<n:EnumerationContext>${escapeXml(context)}</n:EnumerationContext>`;
  const body = `<n:Pull>${which}<n:MaxElements>${maxElements}</n:MaxElements></n:Pull>`;
  return { action: `${namespaces.n}/Pull`, resource, body };
}

interface Page {
  readonly rows: readonly WqlRow[];
  /** Names the remaining rows; undefined at the end. */
  readonly context: string | undefined;
}

/** Items stand in the namespace of the optimisation in the first answer, in that of enumeration afterwards. */
function read(body: XmlElement, name: 'EnumerateResponse' | 'PullResponse'): Page {
  const response = childOf(body, namespaces.n, name);
  const part = (local: string): XmlElement | undefined =>
    childOf(response, namespaces.n, local) ?? childOf(response, namespaces.w, local);
  const rows = (part('Items')?.children ?? []).map(rowOf);
  const context = part('EnumerationContext')?.text.trim();
  const isEnd = part('EndOfSequence') !== undefined || context === undefined || context === '';
  return { rows, context: isEnd ? undefined : context };
}

/** Selections of single properties come wrapped in an `XmlFragment`, whose children are the properties all the same. */
function rowOf(item: XmlElement): WqlRow {
  const values = new Map<string, (string | null)[]>();
  for (const property of item.children) {
    const known = values.get(property.name);
    if (known === undefined) values.set(property.name, [valueOf(property)]);
    else known.push(valueOf(property));
  }
  return recordOf([...values].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? null) : all] as const));
}

function valueOf(property: XmlElement): string | null {
  if (attribute(property, 'nil') === 'true') return null;
  const [inner] = property.children;
  return inner === undefined ? property.text : inner.text;
}
