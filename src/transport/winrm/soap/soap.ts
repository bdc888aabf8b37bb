// The operations of a remote shell, [MS-WSMV] 3.1.4: requests and parsers of their answers.
import { FettleError } from '../../../domain/error.ts';
import { namespaces, type Message } from './envelope.ts';
import { attribute, childOf, descendants, escapeXml, type XmlElement } from '../../../domain/xml.ts';

const shellUri = namespaces.rsp;
const textShell = `${shellUri}/cmd`;

export interface ShellRequest {
  /** Marks the shell as one of fettle in lists on the host. */
  readonly name: string;
  /** The host removes a shell that is idle for this long. Whole seconds. */
  readonly idleTimeoutSec: number;
}

/** Stdin is a pipe and text is UTF-8 (code page 65001). No profile of the account is made or loaded: no script needs one. */
export function createShell({ name, idleTimeoutSec }: ShellRequest): Message {
  const idle = `<rsp:IdleTimeOut>PT${idleTimeoutSec}S</rsp:IdleTimeOut>`;
  const streams = '<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams>';
  return {
    action: `${namespaces.x}/Create`,
    resource: textShell,
    options: { WINRS_NOPROFILE: 'TRUE', WINRS_CODEPAGE: '65001' },
    body: `<rsp:Shell Name="${escapeXml(name)}">${idle}${streams}</rsp:Shell>`,
  };
}

export function deleteShell(shellId: string): Message {
  return { action: `${namespaces.x}/Delete`, resource: textShell, selectors: { ShellId: shellId }, body: '' };
}

/** `commandId` is chosen by the client, so that the command can be queried even if the answer was lost. */
export function startCommand(shellId: string, commandId: string, line: string): Message {
  return {
    ...onShell(shellId, 'Command'),
    options: { WINRS_CONSOLEMODE_STDIN: 'FALSE', WINRS_SKIP_CMD_SHELL: 'FALSE' },
    body:
      `<rsp:CommandLine CommandId="${escapeXml(commandId)}">` +
      `<rsp:Command>${escapeXml(line)}</rsp:Command></rsp:CommandLine>`,
  };
}

export interface RunningCommand {
  readonly shellId: string;
  readonly commandId: string;
}

export function sendInput({ shellId, commandId }: RunningCommand, bytes: Buffer, isEnd: boolean): Message {
  const end = isEnd ? ' End="true"' : '';
  const stream = `<rsp:Stream Name="stdin" CommandId="${escapeXml(commandId)}"${end}>${bytes.toString('base64')}</rsp:Stream>`;
  return { ...onShell(shellId, 'Send'), body: `<rsp:Send>${stream}</rsp:Send>` };
}

export function receiveOutput({ shellId, commandId }: RunningCommand): Message {
  const stream = `<rsp:DesiredStream CommandId="${escapeXml(commandId)}">stdout stderr</rsp:DesiredStream>`;
  return {
    ...onShell(shellId, 'Receive'),
    options: { WSMAN_CMDSHELL_OPTION_KEEPALIVE: 'TRUE' },
    body: `<rsp:Receive>${stream}</rsp:Receive>`,
  };
}

export type ShellSignal = 'terminate' | 'ctrl_c';

export function signalCommand({ shellId, commandId }: RunningCommand, signal: ShellSignal): Message {
  const code = `<rsp:Code>${shellUri}/signal/${signal}</rsp:Code>`;
  const body = `<rsp:Signal CommandId="${escapeXml(commandId)}">${code}</rsp:Signal>`;
  return { ...onShell(shellId, 'Signal'), body };
}

function onShell(shellId: string, action: string): Pick<Message, 'action' | 'resource' | 'selectors'> {
  return { action: `${shellUri}/${action}`, resource: textShell, selectors: { ShellId: shellId } };
}

/** The body of a reply. Throws `parse` if it is not a SOAP envelope. */
export function bodyOf(root: XmlElement): XmlElement {
  const body =
    root.namespace === namespaces.s && root.name === 'Envelope' ? childOf(root, namespaces.s, 'Body') : undefined;
  if (body === undefined) throw new FettleError('parse', 'the answer is not a SOAP envelope');
  return body;
}

/** The selector of ResourceCreated, else the id in the shell's own description. */
export function readShellId(body: XmlElement): string {
  const selector = descendants(body, namespaces.w, 'Selector').find((item) => attribute(item, 'Name') === 'ShellId');
  const id = (selector ?? descendants(body, namespaces.rsp, 'ShellId')[0])?.text.trim() ?? '';
  if (id === '') throw new FettleError('parse', 'the answer to Create names no shell');
  return id;
}

/** The id the service uses: the requested one, unless it chose its own. */
export function readCommandId(body: XmlElement): string | undefined {
  const id = descendants(body, namespaces.rsp, 'CommandId')[0]?.text.trim();
  return id === '' ? undefined : id;
}

export interface Output {
  /** In the order in which they stand in the reply. */
  readonly pieces: readonly { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer }[];
  /** Signed 32-bit; present once the command has ended. */
  readonly exitCode: number | undefined;
  /** A previous answer was lost, together with the output in it. */
  readonly hasGap?: true;
}

export function readOutput(body: XmlElement, commandId: string): Output {
  const response = childOf(body, namespaces.rsp, 'ReceiveResponse');
  if (response === undefined) throw new FettleError('parse', 'the answer to Receive has no output');
  const isOurs = (element: XmlElement): boolean =>
    (attribute(element, 'CommandId') ?? commandId).toUpperCase() === commandId.toUpperCase();
  const pieces = response.children
    .filter((child) => child.namespace === namespaces.rsp && child.name === 'Stream' && isOurs(child))
    .flatMap((child) => {
      const stream = attribute(child, 'Name');
      if (stream !== 'stdout' && stream !== 'stderr') return [];
      const bytes = Buffer.from(child.text, 'base64');
      return bytes.length === 0 ? [] : [{ stream, bytes } as const];
    });
  const state = childOf(response, namespaces.rsp, 'CommandState');
  const isDone = state !== undefined && isOurs(state) && attribute(state, 'State')?.endsWith('/CommandState/Done');
  return { pieces, exitCode: isDone === true ? exitCode(state) : undefined };
}

/** An unsigned number of 32 bits; missing means 0 once the state is Done. */
function exitCode(state: XmlElement): number {
  const text = childOf(state, namespaces.rsp, 'ExitCode')?.text.trim() ?? '0';
  if (!/^-?\d{1,10}$/.test(text)) throw new FettleError('parse', 'the exit code is not a number');
  return Number(text) | 0;
}

export interface Identity {
  readonly protocolVersion: string;
  readonly vendor: string;
  /** Such as `OS: 10.0.20348 SP: 0.0 Stack: 3.0`. */
  readonly version: string;
}

/** Undefined where the answer is no WS-Management identity. */
export function readIdentity(body: XmlElement): Identity | undefined {
  const response = childOf(body, namespaces.wsmid, 'IdentifyResponse');
  if (response === undefined) return undefined;
  const text = (name: string): string => childOf(response, namespaces.wsmid, name)?.text.trim() ?? '';
  return { protocolVersion: text('ProtocolVersion'), vendor: text('ProductVendor'), version: text('ProductVersion') };
}
