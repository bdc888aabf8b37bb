// WS-Management envelopes from the server's side.
import { randomUUID } from 'node:crypto';
import { child, escapeXml, parseXml, type XmlElement } from './xml-tree.ts';

export const ns = {
  soap: 'http://www.w3.org/2003/05/soap-envelope',
  addressing: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  wsman: 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd',
  microsoft: 'http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd',
  shell: 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell',
  transfer: 'http://schemas.xmlsoap.org/ws/2004/09/transfer',
  enumeration: 'http://schemas.xmlsoap.org/ws/2004/09/enumeration',
  fault: 'http://schemas.microsoft.com/wbem/wsman/1/wsmanfault',
  config: 'http://schemas.microsoft.com/wbem/wsman/1/config',
  wmi: 'http://schemas.microsoft.com/wbem/wsman/1/wmi',
  identity: 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd',
  schema: 'http://www.w3.org/2001/XMLSchema-instance',
} as const;

export const shellResource = `${ns.shell}/cmd`;
const anonymous = `${ns.addressing}/role/anonymous`;

export interface SoapRequest {
  /** URI; empty for Identify, which has no addressing. */
  readonly action: string;
  readonly messageId: string;
  readonly resource: string;
  readonly timeoutMs: number;
  readonly envelopeBytes: number;
  /** Selector `ShellId`, in upper case. */
  readonly shellId: string;
  readonly options: ReadonlyMap<string, string>;
  /** First element of the body. */
  readonly body: XmlElement | undefined;
}

export interface SoapFault {
  readonly code: number;
  readonly message: string;
  /** Local name of `s:Subcode`. Default InternalError. */
  readonly subcode?: string;
  /**
   * `wmi`: MSFT_WmiError instead of WSManFault and no RelatesTo, as quota faults come; `provider`: the message is nested
   * in a ProviderFault. Default plain.
   */
  readonly style?: 'plain' | 'wmi' | 'provider';
}

/** Thrown by whatever handles an operation; becomes a fault. */
export class OperationFault extends Error {
  readonly fault: SoapFault;

  constructor(fault: SoapFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Reads a request and insists on the headers that a Windows host insists on. Throws `OperationFault`. */
export function readRequest(text: string): SoapRequest {
  const envelope = parse(text);
  const header = child(envelope, 'Header', ns.soap);
  const body = child(envelope, 'Body', ns.soap)?.children[0];
  if (envelope.name !== 'Envelope' || envelope.namespace !== ns.soap) throw invalid('that is no SOAP envelope');
  if (body?.name === 'Identify') return { ...emptyRequest, body };
  const messageId = child(header, 'MessageID', ns.addressing)?.text.trim() ?? '';
  const replyTo = child(child(header, 'ReplyTo', ns.addressing), 'Address', ns.addressing)?.text.trim();
  if (!/^uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(messageId)) throw invalid('the MessageID is no uuid');
  if (replyTo !== anonymous) throw invalid('the ReplyTo is not the anonymous address');
  if (child(header, 'To', ns.addressing) === undefined) throw invalid('there is no To');
  return {
    action: required(header, 'Action', ns.addressing),
    messageId,
    resource: required(header, 'ResourceURI', ns.wsman),
    timeoutMs: duration(child(header, 'OperationTimeout', ns.wsman)?.text ?? 'PT60S'),
    envelopeBytes: Number(child(header, 'MaxEnvelopeSize', ns.wsman)?.text ?? 153_600),
    shellId: (named(child(header, 'SelectorSet', ns.wsman)).get('ShellId') ?? '').toUpperCase(),
    options: named(child(header, 'OptionSet', ns.wsman)),
    body,
  };
}

/** Body text becomes an answer; `action` is the answer's own URI. */
export function writeAnswer(options: {
  readonly action: string;
  readonly relatesTo: string | undefined;
  readonly body: string;
}): string {
  const relates = options.relatesTo === undefined ? '' : `<a:RelatesTo>${options.relatesTo}</a:RelatesTo>`;
  const uuid = randomUUID().toUpperCase();
  return (
    `<s:Envelope xml:lang="en-US" xmlns:s="${ns.soap}" xmlns:a="${ns.addressing}" xmlns:x="${ns.transfer}"` +
    ` xmlns:w="${ns.wsman}" xmlns:rsp="${ns.shell}" xmlns:n="${ns.enumeration}" xmlns:p="${ns.microsoft}">` +
    `<s:Header><a:Action>${options.action}</a:Action><a:MessageID>uuid:${uuid}</a:MessageID><a:To>${anonymous}</a:To>` +
    `${relates}</s:Header><s:Body>${options.body}</s:Body></s:Envelope>`
  );
}

export function writeFault(fault: SoapFault, relatesTo: string): string {
  const { style = 'plain', subcode = 'InternalError' } = fault;
  const text = escapeXml(fault.message);
  const reason = `<s:Reason><s:Text xml:lang="en-US">${style === 'wmi' ? '' : text}</s:Text></s:Reason>`;
  const code = `<s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:${subcode}</s:Value></s:Subcode></s:Code>`;
  const body = `<s:Fault>${code}${reason}<s:Detail>${faultDetail(fault, text)}</s:Detail></s:Fault>`;
  const action = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/fault';
  return writeAnswer({ action, relatesTo: style === 'wmi' ? undefined : relatesTo, body });
}

function faultDetail({ code, style = 'plain' }: SoapFault, text: string): string {
  if (style === 'wmi') {
    const uri = `${ns.wmi}/root/microsoft/windows/winrm/MSFT_WmiError`;
    const fields = `<p:error_Category>30</p:error_Category><p:error_Code>${code}</p:error_Code>`;
    const message = `<p:Message>${text}</p:Message><p:MessageID>HRESULT 0x${code.toString(16)}</p:MessageID>`;
    return `<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:p="${uri}" xmlns:b="${ns.wmi}">${fields}${message}</p:MSFT_WmiError>`;
  }
  const attributes = `xmlns:f="${ns.fault}" Code="${code}" Machine="127.0.0.1"`;
  if (style === 'plain') return `<f:WSManFault ${attributes}><f:Message>${text}</f:Message></f:WSManFault>`;
  const inner = `<f:WSManFault ${attributes}><f:Message>${text}</f:Message></f:WSManFault>`;
  const provider = `<f:ProviderFault provider="Shell cmd plugin" path="%systemroot%\\system32\\winrscmd.dll">${inner}</f:ProviderFault>`;
  return `<f:WSManFault ${attributes}><f:Message>${provider}</f:Message></f:WSManFault>`;
}

/** Milliseconds of an XML duration of days, hours, minutes and seconds. */
export function duration(text: string): number {
  const found = /^P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/.exec(text.trim());
  if (found === null) throw invalid(`that is no duration: ${text}`);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

export function invalid(message: string): OperationFault {
  return new OperationFault({ code: 2150858817, subcode: 'SchemaValidationError', message });
}

const emptyRequest = {
  action: '',
  messageId: '',
  resource: '',
  timeoutMs: 60_000,
  envelopeBytes: 153_600,
  shellId: '',
  options: new Map<string, string>(),
};

function parse(text: string): XmlElement {
  try {
    return parseXml(text);
  } catch (error) {
    throw invalid(String(error));
  }
}

function required(header: XmlElement | undefined, name: string, namespace: string): string {
  const found = child(header, name, namespace)?.text.trim();
  if (found === undefined || found === '') throw invalid(`there is no ${name}`);
  return found;
}

function named(set: XmlElement | undefined): ReadonlyMap<string, string> {
  return new Map((set?.children ?? []).map((one) => [one.attributes.get('Name') ?? '', one.text]));
}
