// Headers of a WS-Management message, DSP0226 and [MS-WSMV] 2.2.4; verified constants only.
import { escapeXml } from '../../../domain/xml.ts';

export const namespaces = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  a: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  w: 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd',
  p: 'http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd',
  rsp: 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell',
  x: 'http://schemas.xmlsoap.org/ws/2004/09/transfer',
  n: 'http://schemas.xmlsoap.org/ws/2004/09/enumeration',
  f: 'http://schemas.microsoft.com/wbem/wsman/1/wsmanfault',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  wsmid: 'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd',
} as const;

const anonymous = 'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous';

/** Accepted by every version of the service; what a reply may have, in bytes. */
const maxEnvelopeBytes = 153_600;

/** What all messages of one session share. */
export interface EnvelopeContext {
  /** `a:To`. */
  readonly url: string;
  /** Upper-case UUID, the same for the whole session. */
  readonly sessionId: string;
  /** How long the service may hold a request before it answers with a time-out fault. Whole seconds. */
  readonly operationTimeoutSec: number;
  readonly newId: () => string;
}

export interface Message {
  readonly action: string;
  readonly resource: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly selectors?: Readonly<Record<string, string>>;
  /** XML; empty for operations without a body. */
  readonly body: string;
}

export interface Envelope {
  /** On one line. */
  readonly text: string;
  /** UUID; what the answer relates to. */
  readonly messageId: string;
}

/** One request; each has a message id of its own. */
export function envelope(context: EnvelopeContext, message: Message): Envelope {
  const { action, resource, body } = message;
  const messageId = context.newId();
  const header = [
    `<a:To>${escapeXml(context.url)}</a:To>`,
    `<a:ReplyTo><a:Address s:mustUnderstand="true">${anonymous}</a:Address></a:ReplyTo>`,
    `<a:Action s:mustUnderstand="true">${escapeXml(action)}</a:Action>`,
    `<a:MessageID>uuid:${messageId}</a:MessageID>`,
    `<w:ResourceURI s:mustUnderstand="true">${escapeXml(resource)}</w:ResourceURI>`,
    `<w:MaxEnvelopeSize s:mustUnderstand="true">${maxEnvelopeBytes}</w:MaxEnvelopeSize>`,
    `<w:OperationTimeout>PT${context.operationTimeoutSec}S</w:OperationTimeout>`,
    '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/><p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>',
    `<p:SessionId s:mustUnderstand="false">uuid:${context.sessionId}</p:SessionId>`,
    set('Option', message.options, ' s:mustUnderstand="true"'),
    set('Selector', message.selectors, ''),
  ];
  return { text: wrap(['s', 'a', 'w', 'p', 'rsp', 'n'], header.join(''), body), messageId };
}

/** Asks who is there, DSP0226 11; the one message without addressing. */
export function identifyEnvelope(): string {
  return wrap(['s', 'wsmid'], '', '<wsmid:Identify/>');
}

function wrap(prefixes: readonly (keyof typeof namespaces)[], header: string, body: string): string {
  const declarations = prefixes.map((prefix) => ` xmlns:${prefix}="${namespaces[prefix]}"`).join('');
  return `<s:Envelope${declarations}><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}

function set(kind: 'Option' | 'Selector', values: Readonly<Record<string, string>> | undefined, flags: string): string {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return '';
  const items = entries.map(([name, value]) => `<w:${kind} Name="${escapeXml(name)}">${escapeXml(value)}</w:${kind}>`);
  return `<w:${kind}Set${flags}>${items.join('')}</w:${kind}Set>`;
}
