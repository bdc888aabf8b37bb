// What a Windows host does with each operation, once the caller is known.
import { pieces } from './http-wire.ts';
import type { Command, Taken } from './command.ts';
import type { CommandHost } from './command-host.ts';
import { ObjectStore } from './objects.ts';
import { notFound, type Shell, ShellTable, type Quotas } from './shells.ts';
import { invalid, ns, OperationFault, shellResource, type SoapRequest } from './soap.ts';
import { child, escapeXml, type XmlElement } from './xml-tree.ts';

export interface Caller {
  readonly user: string;
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal;
}

export interface Handled {
  /** Inside of the answer's `s:Body`. */
  readonly body: string;
  /** Makes it as if the answer had not been given. */
  readonly undo?: () => void;
}

export interface OperationOptions {
  readonly host: CommandHost;
  readonly quotas: Quotas;
  /** Bytes of output in one Stream element; absent = as they came. */
  readonly streamBytes?: number;
  /** Items in one answer of Enumerate and Pull. */
  readonly pageItems?: number;
}

/** How long a Receive that has output waits for the end of the command, so that short ones need one Receive. */
const gatherMs = 100;
const perStreamBytes = 160;
const envelopeReserve = 36_000;

/** All shells and objects of one host, for all connections. */
export class Operations {
  readonly shells: ShellTable;
  readonly #options: OperationOptions;
  readonly #objects: ObjectStore;

  constructor(options: OperationOptions) {
    this.#options = options;
    this.shells = new ShellTable(options.host, options.quotas);
    this.#objects = new ObjectStore(options, this.shells);
  }

  /** @throws OperationFault */
  async handle(request: SoapRequest, caller: Caller): Promise<Handled> {
    const { quotas } = this.#options;
    if (request.body?.name === 'Identify') return { body: identity('OS: 10.0.20348 SP: 0.0 Stack: 3.0') };
    if (request.timeoutMs > quotas.maxTimeoutMs) {
      const message = 'The WS-Management service does not support the specified timeout.';
      throw new OperationFault({ code: 2150858764, subcode: 'UnsupportedFeature', message });
    }
    const name = operationName(request);
    if (request.resource !== shellResource || name === 'Enumerate' || name === 'Get' || name === 'Pull') {
      return { body: this.#objects.answer(name, request) };
    }
    if (name === 'Create') return { body: created(this.shells.create(request, caller.user)) };
    return this.#inShell(name, { request, caller, shell: this.shells.find(request.shellId, caller.user) });
  }

  async #inShell(name: string, { request, caller, shell }: InShell): Promise<Handled> {
    const { body } = request;
    if (name === 'Delete') {
      this.shells.delete(shell);
      return { body: '' };
    }
    if (name === 'Command') {
      const { id } = this.shells.start(shell, request);
      return { body: `<rsp:CommandResponse><rsp:CommandId>${id}</rsp:CommandId></rsp:CommandResponse>` };
    }
    if (name === 'Send') return this.#send(shell, body);
    if (name === 'Receive') return this.#receive({ request, caller, shell });
    if (name === 'Signal') return this.#signal(shell, body);
    throw new OperationFault({ code: 2150858752, subcode: 'ActionNotSupported', message: `No action ${name}.` });
  }

  #send(shell: Shell, body: XmlElement | undefined): Handled {
    for (const stream of body?.children ?? []) {
      const command = this.shells.command(shell, stream.attributes.get('CommandId'));
      if (stream.name !== 'Stream' || stream.attributes.get('Name') !== 'stdin') throw invalid('that is no stdin');
      const isEnd = ['true', '1'].includes(stream.attributes.get('End')?.toLowerCase() ?? '');
      command.process.write(Buffer.from(stream.text, 'base64'), isEnd);
    }
    return { body: '<rsp:SendResponse/>' };
  }

  async #receive({ request, caller, shell }: InShell): Promise<Handled> {
    const id = child(request.body, 'DesiredStream', ns.shell)?.attributes.get('CommandId');
    if (id === undefined)
      throw new OperationFault({ code: 87, message: 'The parameter is incorrect.', style: 'provider' });
    const command = this.shells.command(shell, id);
    const limit = outputLimit(Math.min(request.envelopeBytes, this.#options.quotas.maxEnvelopeBytes), this.#options);
    const isReady = (): boolean => command.hasEnded || command.waitingBytes > 0;
    await this.#until(isReady, { command, signal: caller.signal, ms: request.timeoutMs });
    this.shells.command(shell, id);
    if (!isReady()) {
      const message = 'The WS-Management service cannot complete the operation within the time specified.';
      throw new OperationFault({ code: 2150858793, subcode: 'TimedOut', message });
    }
    const isWhole = (): boolean => command.hasEnded || command.waitingBytes >= limit;
    await this.#until(isWhole, { command, signal: caller.signal, ms: gatherMs });
    if (caller.signal.aborted) throw new OperationFault({ code: 995, message: 'The connection is gone.' });
    const taken = command.take(limit);
    return { body: received(command, taken, this.#options.streamBytes), undo: () => command.giveBack(taken) };
  }

  #signal(shell: Shell, body: XmlElement | undefined): Handled {
    const command = this.shells.command(shell, body?.attributes.get('CommandId'));
    const code = child(body, 'Code', ns.shell)?.text.trim() ?? '';
    const kind = /\/signal\/(terminate|ctrl_c|ctrl_break)$/.exec(code)?.[1];
    if (kind === undefined) throw new OperationFault({ code: 87, message: `No signal ${code}.`, style: 'provider' });
    command.process.kill();
    if (kind === 'terminate') shell.commands.delete(command.id);
    return { body: '<rsp:SignalResponse/>' };
  }

  /** Until it is so, the time is over, the caller is gone or the host no longer runs. */
  async #until(isSo: () => boolean, { command, signal, ms }: Waiting): Promise<void> {
    const end = Date.now() + ms;
    while (!isSo() && !signal.aborted && this.#options.host.state === 'running') {
      const left = end - Date.now();
      if (left <= 0) return;
      await within(command.changed, Math.min(left, 100));
    }
  }
}

/** `Create`, `Command`, `Enumerate`…: the last word of the action. */
export function operationName({ action, body }: SoapRequest): string {
  return action === '' ? (body?.name ?? '') : action.slice(action.lastIndexOf('/') + 1);
}

export function identity(productVersion: string): string {
  return (
    `<wsmid:IdentifyResponse xmlns:wsmid="${ns.identity}">` +
    '<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>' +
    '<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>' +
    `<wsmid:ProductVersion>${escapeXml(productVersion)}</wsmid:ProductVersion></wsmid:IdentifyResponse>`
  );
}

interface InShell {
  readonly request: SoapRequest;
  readonly caller: Caller;
  readonly shell: Shell;
}

interface Waiting {
  readonly command: Command;
  readonly signal: AbortSignal;
  readonly ms: number;
}

function outputLimit(envelopeBytes: number, { streamBytes }: OperationOptions): number {
  const room = envelopeBytes - envelopeReserve;
  if (room <= 0) throw new OperationFault({ ...notFound, code: 2150858790, message: 'The envelope is too small.' });
  if (streamBytes === undefined) return Math.floor((room * 3) / 4);
  return Math.max(1, Math.floor(room / (Math.ceil(streamBytes / 3) * 4 + perStreamBytes))) * streamBytes;
}

function created(shell: Shell): string {
  const selector = `<w:SelectorSet><w:Selector Name="ShellId">${shell.id}</w:Selector></w:SelectorSet>`;
  const parameters = `<a:ReferenceParameters><w:ResourceURI>${shellResource}</w:ResourceURI>${selector}</a:ReferenceParameters>`;
  const fields = `<rsp:ShellId>${shell.id}</rsp:ShellId><rsp:Owner>${escapeXml(shell.owner)}</rsp:Owner>`;
  const more = '<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime>';
  return `<x:ResourceCreated><a:Address>http://127.0.0.1/wsman</a:Address>${parameters}</x:ResourceCreated><rsp:Shell>${fields}${more}</rsp:Shell>`;
}

function received(command: Command, { pieces: taken, exitCode }: Taken, streamBytes: number | undefined): string {
  const attributes = (stream: string): string => `Name="${stream}" CommandId="${command.id}"`;
  const streams = merge(taken).flatMap(({ stream, bytes }) =>
    pieces(bytes, streamBytes ?? bytes.length).map(
      (piece) => `<rsp:Stream ${attributes(stream)}>${piece.toString('base64')}</rsp:Stream>`,
    ),
  );
  const isDone = exitCode !== undefined;
  const ends = isDone
    ? ['stdout', 'stderr'].map((one) => `<rsp:Stream ${attributes(one)} End="true"></rsp:Stream>`)
    : [];
  const state = `<rsp:CommandState CommandId="${command.id}" State="${ns.shell}/CommandState/${isDone ? 'Done' : 'Running'}">`;
  const code = isDone ? `<rsp:ExitCode>${exitCode}</rsp:ExitCode>` : '';
  return `<rsp:ReceiveResponse>${streams.join('')}${ends.join('')}${state}${code}</rsp:CommandState></rsp:ReceiveResponse>`;
}

function merge(taken: Taken['pieces']): { stream: string; bytes: Buffer }[] {
  const runs: { stream: string; parts: Buffer[] }[] = [];
  for (const { stream, bytes } of taken) {
    const last = runs.at(-1);
    if (last?.stream === stream) last.parts.push(bytes);
    else runs.push({ stream, parts: [bytes] });
  }
  return runs.map(({ stream, parts }) => ({ stream, bytes: Buffer.concat(parts) }));
}

async function within(changed: Promise<void>, ms: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([changed, over]);
  clearTimeout(timer);
}
