// One connection: requests in, logins, sealing, answers out, and what is to go wrong with them.
import { type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { Authenticator, type AuthenticationOptions, type Verdict } from './authenticator.ts';
import type { CommandHost } from './command-host.ts';
import type { FaultPlan, WireFault } from './faults.ts';
import {
  encodeResponse,
  NotHttp,
  RequestReader,
  type HttpRequest,
  type HttpResponse,
  type WireShape,
} from './http-wire.ts';
import { identity, operationName, type Handled, type Operations } from './operations.ts';
import { decodeSealedBody, encodeSealedBody, isSealedType, sealedContentType, type PartStyle } from './sealed-body.ts';
import type { ServerStats } from './server-stats.ts';
import { OperationFault, readRequest, writeAnswer, writeFault, type SoapFault, type SoapRequest } from './soap.ts';

/** What the connections of one server share. */
export interface ServerContext {
  readonly commands: CommandHost;
  readonly operations: Operations;
  readonly authentication: AuthenticationOptions;
  readonly stats: ServerStats;
  readonly faults: FaultPlan;
  readonly shape: () => WireShape;
  readonly isUnencryptedAllowed: boolean;
  readonly maxEnvelopeBytes: number;
  readonly partStyle: PartStyle;
  readonly statusWhileBooting: 500 | 503;
  readonly idleCloseMs: number | undefined;
  /** Looks whether the host has booted since. */
  readonly noticeBoot: () => void;
}

type Known = Extract<Verdict, { kind: 'known' }>;

interface Answer {
  readonly response: HttpResponse;
  readonly fault?: WireFault | undefined;
  /** To be called when the answer does not go out whole. */
  readonly undo?: (() => void) | undefined;
  readonly isLast?: boolean;
}

const soapType = ['Content-Type', 'application/soap+xml;charset=UTF-8'] as const;

export class Connection {
  readonly #context: ServerContext;
  readonly #socket: Socket;
  readonly #number: number;
  readonly #authenticator: Authenticator;
  readonly #gone = new AbortController();
  #isBusy = false;

  constructor(socket: Socket, context: ServerContext) {
    this.#socket = socket;
    this.#context = context;
    context.stats.connections += 1;
    context.stats.openConnections += 1;
    this.#number = context.stats.connections;
    this.#authenticator = new Authenticator(context.authentication, { stats: context.stats, socket });
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      context.stats.openConnections -= 1;
      this.#gone.abort();
    });
    if (context.idleCloseMs !== undefined) {
      socket.setTimeout(context.idleCloseMs, () => void (this.#isBusy ? undefined : socket.destroy()));
    }
  }

  drop(): void {
    this.#socket.destroy();
  }

  /** Settles when the connection is over. */
  async serve(): Promise<void> {
    const reader = new RequestReader(this.#socket, this.#context.maxEnvelopeBytes);
    try {
      for (let request = await reader.next(); request !== undefined; request = await reader.next()) {
        this.#isBusy = true;
        this.#context.stats.requests += 1;
        const answer = await this.#answer(request);
        if (answer === undefined || !(await this.#write(answer))) break;
        this.#isBusy = false;
      }
    } catch (error) {
      // Otherwise the connection is broken: there is nobody to answer.
      if (error instanceof NotHttp) await this.#write({ response: { status: 400 } }).catch(() => undefined);
    }
    this.#socket.destroy();
  }

  async #answer(request: HttpRequest): Promise<Answer | undefined> {
    const { commands, statusWhileBooting } = this.#context;
    this.#context.noticeBoot();
    if (this.#gone.signal.aborted || commands.state === 'off') return undefined;
    if (commands.state === 'booting') return { response: { status: statusWhileBooting } };
    if (request.isTooLong) return { response: { status: 413 } };
    if (request.path !== '/wsman') return { response: { status: 404 } };
    if (request.method !== 'POST') return { response: { status: 405 } };
    if (request.headers.get('wsmanidentify') === 'unauthenticated') return anonymousIdentity(request);
    const isHandshake = request.headers.get('authorization')?.startsWith('Negotiate') === true;
    const fault = isHandshake ? this.#context.faults.take('Handshake') : undefined;
    if (fault?.kind === 'status') return { response: this.#bare(fault.status) };
    const verdict = this.#authenticator.check(request);
    if (verdict.kind === 'unknown') return { response: { status: 401, headers: verdict.headers }, fault };
    if (verdict.isNew === true && request.body.length === 0) return { response: { status: 200 }, fault };
    return this.#open(request, verdict);
  }

  async #open(request: HttpRequest, known: Known): Promise<Answer | undefined> {
    const { stats, isUnencryptedAllowed } = this.#context;
    if (!isSealedType(request.headers.get('content-type') ?? '')) {
      if (this.#socket instanceof TLSSocket || isUnencryptedAllowed) return this.#operate(request.body, known, false);
      stats.refusedCleartext += 1;
      return { response: { status: 500 } };
    }
    if (known.sealing === undefined) return { response: this.#bare(401) };
    const sealed = decodeSealedBody(request.body);
    const plain = sealed === undefined ? undefined : known.sealing.unseal(sealed);
    if (plain === undefined || plain.length !== sealed?.length) {
      stats.brokenSeals += 1;
      return { response: { status: 400, headers: [['Connection', 'close']] }, isLast: true };
    }
    return this.#operate(plain, known, true);
  }

  async #operate(body: Buffer, known: Known, isSealed: boolean): Promise<Answer | undefined> {
    const request = attempt(() => readRequest(body.toString()));
    const name = request instanceof OperationFault ? 'Unreadable' : operationName(request);
    const fault = this.#context.faults.take(name);
    if (fault?.kind === 'delay') await sleep(fault.ms, undefined, { signal: this.#gone.signal });
    if (fault?.kind === 'drop-request') return undefined;
    if (fault?.kind === 'status') return { response: this.#bare(fault.status) };
    const done = await this.#run(request, known, fault);
    const { stats, commands, noticeBoot } = this.#context;
    const faultCode = done instanceof OperationFault ? done.fault.code : undefined;
    const messageId = request instanceof OperationFault ? '' : request.messageId;
    const record = { name, connection: this.#number, isSealed, user: known.user, messageId };
    stats.operations.push(faultCode === undefined ? record : { ...record, faultCode });
    if (name === 'Command' && !(request instanceof OperationFault)) stats.commandLines.push(lineOf(request));
    noticeBoot();
    if (commands.state === 'off') return undefined;
    const text = envelope(request, done, fault);
    const status = faultCode === undefined ? 200 : 500;
    const response = this.#soap({ status, text }, isSealed ? known : undefined, fault);
    return { response, fault, undo: done instanceof OperationFault ? undefined : done.undo };
  }

  async #run(
    request: SoapRequest | OperationFault,
    { user }: Known,
    fault: WireFault | undefined,
  ): Promise<Handled | OperationFault> {
    if (request instanceof OperationFault) return request;
    if (fault?.kind === 'fault') return new OperationFault(fault.fault);
    try {
      return await this.#context.operations.handle(request, { user, signal: this.#gone.signal });
    } catch (error) {
      if (error instanceof OperationFault) return error;
      return new OperationFault(internalError(error));
    }
  }

  #soap(
    { status, text }: { readonly status: number; readonly text: string },
    known: Known | undefined,
    fault: WireFault | undefined,
  ): HttpResponse {
    const plain = Buffer.from(text);
    if (known?.sealing === undefined || fault?.kind === 'unsealed') return { status, headers: [soapType], body: plain };
    const sealed = known.sealing.seal(plain);
    if (fault?.kind === 'broken-seal') sealed.ciphertext[0] = (sealed.ciphertext[0] ?? 0) ^ 1;
    const body = encodeSealedBody(sealed, this.#context.partStyle);
    return { status, headers: [['Content-Type', sealedContentType]], body };
  }

  #bare(status: number): HttpResponse {
    if (status !== 401) return { status };
    this.#authenticator.forget();
    return { status, headers: this.#authenticator.offers() };
  }

  /** False when nothing more is to be read from the connection. */
  async #write({ response, fault, undo, isLast = false }: Answer): Promise<boolean> {
    if (fault?.kind === 'drop-response') {
      if (fault.isKept === true) undo?.();
      return false;
    }
    const bytes = encodeResponse(response, this.#context.shape());
    if (fault?.kind === 'close-mid-body') {
      const whole = Buffer.concat(bytes);
      await this.#send(whole.subarray(0, whole.length - Math.ceil((response.body?.length ?? 0) / 2)));
      return false;
    }
    for (const piece of fault?.kind === 'repeat-response' ? [...bytes, ...bytes] : bytes) {
      await this.#send(piece);
      if (bytes.length > 1) await turn();
    }
    return !isLast;
  }

  #send(piece: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function anonymousIdentity(request: HttpRequest): Answer {
  if (!request.body.includes('Identify')) return { response: { status: 401 } };
  const text = writeAnswer({ action: '', relatesTo: undefined, body: identity('OS: 0.0.0 SP: 0.0 Stack: 3.0') });
  return { response: { status: 200, headers: [soapType], body: Buffer.from(text) } };
}

function envelope(
  request: SoapRequest | OperationFault,
  done: Handled | OperationFault,
  fault: WireFault | undefined,
): string {
  if (fault?.kind === 'text') return fault.text;
  const { action, messageId } = request instanceof OperationFault ? { action: '', messageId: '' } : request;
  const relatesTo = fault?.kind === 'foreign-relates-to' ? 'uuid:00000000-0000-4000-8000-000000000000' : messageId;
  if (done instanceof OperationFault) return writeFault(done.fault, relatesTo);
  return writeAnswer({ action: action === '' ? '' : `${action}Response`, relatesTo, body: done.body });
}

function lineOf({ body }: SoapRequest): string {
  return (body?.children ?? []).map(({ text }) => text).join(' ');
}

function attempt(read: () => SoapRequest): SoapRequest | OperationFault {
  try {
    return read();
  } catch (error) {
    return error instanceof OperationFault ? error : new OperationFault(internalError(error));
  }
}

function internalError(error: unknown): SoapFault {
  return { code: 1359, message: `An internal error occurred: ${String(error)}` };
}
