// Enumerate, Pull and Get: WQL rows, the list of shells, the service's configuration.
import { randomUUID } from 'node:crypto';
import type { CommandHost } from './command-host.ts';
import type { Quotas, ShellTable } from './shells.ts';
import { ns, OperationFault, type SoapRequest } from './soap.ts';
import { child, escapeXml } from './xml-tree.ts';

interface StoreOptions {
  readonly host: CommandHost;
  readonly quotas: Quotas;
  readonly pageItems?: number;
}

const wqlDialect = 'http://schemas.microsoft.com/wbem/wsman/1/WQL';
const cim = 'http://schemas.dmtf.org/wbem/wscim/1/common';

export class ObjectStore {
  readonly #options: StoreOptions;
  readonly #shells: ShellTable;
  /** Items that a Pull has still to fetch, by context. */
  readonly #rest = new Map<string, readonly string[]>();

  constructor(options: StoreOptions, shells: ShellTable) {
    this.#options = options;
    this.#shells = shells;
  }

  /** @throws OperationFault */
  answer(name: string, request: SoapRequest): string {
    if (name === 'Enumerate') return this.#enumerate(request);
    if (name === 'Pull') return this.#pull(request);
    if (name === 'Get' && request.resource === ns.config) return configuration(this.#options.quotas);
    const message = `The resource ${request.resource} has no ${name}.`;
    throw new OperationFault({ code: 2150858752, subcode: 'ActionNotSupported', message });
  }

  #enumerate(request: SoapRequest): string {
    const items = request.resource === ns.shell ? this.#shellItems() : this.#wqlItems(request);
    const isOptimized = child(request.body, 'OptimizeEnumeration', ns.wsman) !== undefined;
    if (!isOptimized) return `<n:EnumerateResponse>${this.#keep(items)}</n:EnumerateResponse>`;
    const { page, rest } = this.#page(items, child(request.body, 'MaxElements', ns.wsman)?.text);
    const end = rest.length === 0 ? '<n:EnumerationContext/><w:EndOfSequence/>' : this.#keep(rest);
    return `<n:EnumerateResponse><w:Items>${page.join('')}</w:Items>${end}</n:EnumerateResponse>`;
  }

  #pull({ body }: SoapRequest): string {
    const context = child(body, 'EnumerationContext', ns.enumeration)?.text.trim() ?? '';
    const items = this.#rest.get(context);
    if (items === undefined) {
      throw new OperationFault({ code: 2150858843, subcode: 'InvalidEnumerationContext', message: 'No such context.' });
    }
    this.#rest.delete(context);
    const { page, rest } = this.#page(items, child(body, 'MaxElements', ns.enumeration)?.text);
    const end = rest.length === 0 ? '<n:EndOfSequence/>' : this.#keep(rest);
    return `<n:PullResponse>${end}<n:Items>${page.join('')}</n:Items></n:PullResponse>`;
  }

  #keep(items: readonly string[]): string {
    const context = `uuid:${randomUUID().toUpperCase()}`;
    this.#rest.set(context, items);
    return `<n:EnumerationContext>${context}</n:EnumerationContext>`;
  }

  #page(items: readonly string[], asked: string | undefined): { page: readonly string[]; rest: readonly string[] } {
    const size = Math.min(Number(asked ?? 1), this.#options.pageItems ?? Number.POSITIVE_INFINITY);
    return { page: items.slice(0, size), rest: items.slice(size) };
  }

  #shellItems(): readonly string[] {
    return this.#shells.all.map(
      ({ id, name, owner, idleTimeoutMs }) =>
        `<rsp:Shell xmlns:rsp="${ns.shell}"><rsp:ShellId>${id}</rsp:ShellId><rsp:Name>${escapeXml(name)}</rsp:Name>` +
        `<rsp:ResourceUri>${ns.shell}/cmd</rsp:ResourceUri><rsp:Owner>${escapeXml(owner)}</rsp:Owner>` +
        `<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:IdleTimeOut>PT${idleTimeoutMs / 1000}.000S</rsp:IdleTimeOut>` +
        '<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>',
    );
  }

  #wqlItems({ body, resource }: SoapRequest): readonly string[] {
    const filter = child(body, 'Filter', ns.wsman);
    if (resource !== `${ns.wmi}/root/cimv2/*` || filter?.attributes.get('Dialect') !== wqlDialect) {
      throw new OperationFault({
        code: 2150858752,
        subcode: 'CannotProcessFilter',
        message: 'Only WQL on root/cimv2.',
      });
    }
    const found = /^\s*select\s+(?<columns>.+?)\s+from\s+(?<name>\w+)/i.exec(filter.text)?.groups;
    const rows = found === undefined ? undefined : this.#options.host.query(filter.text);
    if (found === undefined || rows === undefined) {
      throw new OperationFault({ code: 2150859002, message: 'The class does not exist in the namespace.' });
    }
    const { columns = '*', name = '' } = found;
    return rows.map((row) => (columns === '*' ? wholeItem(name, row) : fragmentItem(columns, row)));
  }
}

/** All properties: an element of the class, in the namespace of the class. */
function wholeItem(name: string, row: Readonly<Record<string, string>>): string {
  const fields = Object.entries(row).map(([key, value]) => {
    const time = isoTime(value);
    const text = time === undefined ? escapeXml(value) : `<cim:Datetime>${time}</cim:Datetime>`;
    return value === '' ? `<p:${key} xsi:nil="true"/>` : `<p:${key}>${text}</p:${key}>`;
  });
  const spaces = `xmlns:xsi="${ns.schema}" xmlns:p="${ns.wmi}/root/cimv2/${name}" xmlns:cim="${cim}"`;
  return `<p:${name} ${spaces} xsi:type="p:${name}_Type">${fields.join('')}</p:${name}>`;
}

/** Some properties: `w:XmlFragment` with names in no namespace. */
function fragmentItem(columns: string, row: Readonly<Record<string, string>>): string {
  const asked = columns.split(',').map((column) => column.trim().toLowerCase());
  const fields = Object.entries(row)
    .filter(([key]) => asked.includes(key.toLowerCase()))
    .map(([key, value]) => {
      const time = isoTime(value);
      const text = time === undefined ? escapeXml(value) : `<Datetime>${time}</Datetime>`;
      return value === '' ? `<${key} xsi:nil="true"/>` : `<${key}>${text}</${key}>`;
    });
  return `<w:XmlFragment xmlns:xsi="${ns.schema}">${fields.join('')}</w:XmlFragment>`;
}

/** A CIM time stamp (`yyyymmddHHMMSS.ffffff+UUU`) as WS-Man writes it; undefined for other text. */
function isoTime(value: string): string | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})([+-])(\d{3})$/.exec(value);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, sign, offset] = found;
  const minutes = Number(offset);
  const zone = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction}${sign}${zone}`;
}

function configuration(quotas: Quotas): string {
  const service =
    `<cfg:MaxConcurrentOperationsPerUser>${quotas.maxOperationsPerUser}</cfg:MaxConcurrentOperationsPerUser>` +
    '<cfg:EnumerationTimeoutms>240000</cfg:EnumerationTimeoutms><cfg:MaxConnections>300</cfg:MaxConnections>' +
    '<cfg:MaxPacketRetrievalTimeSeconds>120</cfg:MaxPacketRetrievalTimeSeconds>';
  const shells = `<cfg:MaxShellsPerUser>${quotas.maxShellsPerUser}</cfg:MaxShellsPerUser>`;
  return (
    `<cfg:Config xmlns:cfg="${ns.config}"><cfg:MaxEnvelopeSizekb>${Math.floor(quotas.maxEnvelopeBytes / 1024)}</cfg:MaxEnvelopeSizekb>` +
    `<cfg:MaxTimeoutms>${quotas.maxTimeoutMs}</cfg:MaxTimeoutms><cfg:MaxBatchItems>32000</cfg:MaxBatchItems>` +
    `<cfg:Service>${service}</cfg:Service><cfg:Winrs>${shells}</cfg:Winrs></cfg:Config>`
  );
}
