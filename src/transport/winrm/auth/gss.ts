// One security context of Kerberos 5 by GSSAPI (RFC 2743, RFC 4121).
import { FettleError } from '../../../domain/error.ts';
import { gssFailure, isRoutineError, isServiceUnknown, kerberosMechanism } from './gss-failure.ts';
import {
  bytesOf,
  emptyBytes,
  loadGss,
  type GssBindings,
  type GssBytes,
  type GssCall,
  type GssLibrary,
  type Handle,
  type Out,
} from './gss-library.ts';

/** `GSS_KRB5_NT_PRINCIPAL_NAME` in DER: names are used as given, without DNS lookups. */
const principalName = Buffer.from('2a864886f71201020201', 'hex');

/** `GSS_C_…_FLAG`, RFC 2744 appendix A. */
const flags = { delegation: 1, mutual: 2, replay: 4, sequence: 8, confidentiality: 16, integrity: 32 } as const;
const askedAlways = flags.mutual | flags.replay | flags.sequence | flags.confidentiality | flags.integrity;
const initiateOnly = 1;
const continueNeeded = 1;
/** Bits for a message that is a duplicate, old, too early, or follows one that is missing. */
const outOfOrder = 0x1e;

export interface GssRequest {
  /** Whole principal of the client; undefined takes that of the default ticket cache. */
  readonly client: string | undefined;
  /** Undefined when there is a ticket. */
  readonly password: string | undefined;
  /** Principals of the service; the first the KDC knows is taken. */
  readonly services: readonly string[];
  /** Application data of the channel binding. */
  readonly channelBinding: Buffer | undefined;
  readonly delegation: boolean;
}

type InitialiseArguments = Parameters<GssLibrary['initialise']>;

interface Leg {
  readonly minor: Out<number>;
  readonly context: Out<Handle>;
  readonly output: GssBytes;
  readonly granted: Out<number>;
  readonly call: InitialiseArguments;
}

export class GssContext implements Disposable {
  readonly #library: GssLibrary;
  readonly #request: GssRequest;
  #credential: Handle = null;
  #service: Handle = null;
  #context: Handle = null;
  #granted = 0;
  #isComplete = false;
  #isClosed = false;

  private constructor(library: GssLibrary, request: GssRequest) {
    this.#library = library;
    this.#request = request;
  }

  /**
   * A context and its first token for the host. All that asks the KDC happens here, on another thread. Throws `auth`,
   * with `details.isRefused` where the password is wrong.
   */
  static async open(request: GssRequest): Promise<{ readonly context: GssContext; readonly token: Buffer }> {
    const context = new GssContext(await loadGss(), request);
    try {
      await context.#acquire();
      return { context, token: await context.#begin() };
    } catch (error) {
      context[Symbol.dispose]();
      throw error;
    }
  }

  /** True once the host has proved itself. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Whether the host can use the delegated ticket. */
  get isDelegated(): boolean {
    return (this.#granted & flags.delegation) !== 0;
  }

  /** Takes the host's token; gives the next one for it, empty as a rule. Throws `auth`. */
  step(token: Buffer): Buffer {
    this.#requireOpen();
    const leg = this.#leg(token);
    return this.#finish(leg, this.#library.initialise(...leg.call));
  }

  /** A sealed token of RFC 4121 4.2.6.2. */
  wrap(plain: Buffer): Buffer {
    this.#requireOpen();
    const minor: Out<number> = [0];
    const state: Out<number> = [0];
    const output = emptyBytes();
    const major = this.#library.wrap(minor, this.#context, 1, 0, bytesOf(plain), state, output);
    const token = this.#library.take(output);
    if (isRoutineError(major)) throw this.#failure('seal a message', major, minor);
    if (state[0] === 0) throw new FettleError('auth', 'kerberos would sign messages but not seal them');
    return token;
  }

  /** Throws `lost` for what was altered, repeated, reordered or only signed; nothing can be unwrapped after that. */
  unwrap(token: Buffer): Buffer {
    this.#requireOpen();
    const minor: Out<number> = [0];
    const state: Out<number> = [0];
    const output = emptyBytes();
    const major = this.#library.unwrap(minor, this.#context, bytesOf(token), output, state, null);
    const plain = this.#library.take(output);
    if (!isRoutineError(major) && (major & outOfOrder) === 0 && state[0] !== 0) return plain;
    this[Symbol.dispose]();
    throw new FettleError('lost', 'a sealed message of the host does not verify', {
      hint: 'it was altered or lost in transit; the connection cannot be used any more',
      details: { major, minor: minor[0] | 0 },
    });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    if (this.#context !== null) this.#library.deleteContext([0], [this.#context], null);
    if (this.#credential !== null) this.#library.releaseCredential([0], [this.#credential]);
    if (this.#service !== null) this.#library.releaseName([0], [this.#service]);
    this.#context = this.#credential = this.#service = null;
  }

  async #acquire(): Promise<void> {
    const { client, password } = this.#request;
    if (client === undefined) return;
    const minor: Out<number> = [0];
    const name = this.#import(client);
    const credential: Out<Handle> = [null];
    const text = Buffer.from(password ?? '', 'utf8');
    try {
      const major =
        password === undefined
          ? await run(this.#library.acquire, [minor, name, 0, null, initiateOnly, credential, null, null])
          : await run(this.#library.acquireWithPassword, [
              ...([minor, name, bytesOf(text), 0, null] as const),
              ...([initiateOnly, credential, null, null] as const),
            ]);
      if (isRoutineError(major)) throw this.#failure(`log ${client} in`, major, minor);
      this.#credential = credential[0];
    } finally {
      text.fill(0);
      this.#library.releaseName([0], [name]);
    }
  }

  async #begin(): Promise<Buffer> {
    for (const [index, service] of this.#request.services.entries()) {
      this.#service = this.#import(service);
      const leg = this.#leg(undefined);
      const major = await run(this.#library.initialise, leg.call);
      const isLast = index === this.#request.services.length - 1;
      const isUnknown = isRoutineError(major) && isServiceUnknown({ major, minor: leg.minor[0] });
      if (isLast || !isUnknown) return this.#finish(leg, major);
      this.#library.take(leg.output);
      this.#library.releaseName([0], [this.#service]);
      this.#service = null;
    }
    throw new FettleError('internal', 'kerberos without a service principal');
  }

  #leg(token: Buffer | undefined): Leg {
    const { channelBinding, delegation } = this.#request;
    const [minor, context, granted]: [Out<number>, Out<Handle>, Out<number>] = [[0], [this.#context], [0]];
    const output = emptyBytes();
    const asked = askedAlways | (delegation ? flags.delegation : 0);
    const input = token === undefined ? null : bytesOf(token);
    const ours = [minor, this.#credential, context, this.#service, bytesOf(kerberosMechanism), asked, 0] as const;
    const call: InitialiseArguments = [...ours, bindings(channelBinding), input, null, output, granted, null];
    return { minor, context, output, granted, call };
  }

  #finish({ minor, context, output, granted }: Leg, major: number): Buffer {
    this.#context = context[0];
    const token = this.#library.take(output);
    if (isRoutineError(major)) {
      const [service = ''] = this.#request.services;
      throw this.#failure(`log in to ${service.replace(/@$/, '')}`, major, minor);
    }
    this.#granted = granted[0];
    this.#isComplete = (major & continueNeeded) === 0;
    const missing = this.#isComplete ? askedAlways & ~this.#granted : 0;
    if (missing === 0) return token;
    throw new FettleError('auth', 'Kerberos grants less protection than required; fettle uses nothing weaker', {
      hint: 'the host must authenticate itself and seal messages; check its ticket encryption',
      details: { missing },
    });
  }

  #import(principal: string): Handle {
    const minor: Out<number> = [0];
    const name: Out<Handle> = [null];
    const major = this.#library.importName(
      minor,
      bytesOf(Buffer.from(principal, 'utf8')),
      bytesOf(principalName),
      name,
    );
    if (isRoutineError(major)) throw this.#failure(`read the name ${principal}`, major, minor);
    return name[0];
  }

  #failure(what: string, major: number, minor: Out<number>): FettleError {
    return gssFailure(this.#library, { what, major, minor: minor[0] });
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new FettleError('lost', 'the sealed connection is closed');
  }
}

function run<Arguments extends readonly unknown[]>(call: GssCall<Arguments>, values: Arguments): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(...values, (error, status) => {
      if (error === null || error === undefined) resolve(status);
      else reject(new FettleError('internal', 'a GSSAPI call could not be made', { cause: error }));
    });
  });
}

function bindings(application: Buffer | undefined): GssBindings | null {
  if (application === undefined) return null;
  const none = { initiatorType: 0, initiator: emptyBytes(), acceptorType: 0, acceptor: emptyBytes() };
  return { ...none, application: bytesOf(application) };
}
