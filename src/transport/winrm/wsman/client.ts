import { FettleError } from '../../../domain/error.ts';
import type { WsmanChannel } from './channel.ts';
import { failure, type Endpoint, type Phase } from '../http/endpoint.ts';
import { envelope, identifyEnvelope, namespaces, type EnvelopeContext, type Message } from '../soap/envelope.ts';
import { faultError, readFault, type Fault } from '../soap/faults.ts';
import { bodyOf, readIdentity, type Identity } from '../soap/soap.ts';
import { childOf, parseXml, type XmlElement } from '../../../domain/xml.ts';

export type Reply =
  { readonly kind: 'body'; readonly body: XmlElement } | { readonly kind: 'fault'; readonly fault: Fault };

export interface CallOptions {
  readonly phase: Phase;
  readonly signal?: AbortSignal | undefined;
}

/** Operations of WS-Management over one channel. */
export class WsmanClient {
  readonly endpoint: Endpoint;
  readonly #channel: Pick<WsmanChannel, 'post' | 'reset'>;
  readonly #context: EnvelopeContext;

  constructor(channel: Pick<WsmanChannel, 'post' | 'reset'>, endpoint: Endpoint, context: EnvelopeContext) {
    this.#channel = channel;
    this.endpoint = endpoint;
    this.#context = context;
  }

  /** Throws the channel's errors, and `command` for an answer that cannot be parsed: its content is lost. */
  async ask(message: Message, options: CallOptions): Promise<Reply> {
    const { text, messageId } = envelope(this.#context, message);
    return this.#read(await this.#channel.post(text, options), options.phase, messageId);
  }

  /** Like `ask`, but every fault is an error. */
  async demand(message: Message, options: CallOptions): Promise<XmlElement> {
    const reply = await this.ask(message, options);
    if (reply.kind === 'fault') throw faultError(this.endpoint, options.phase, reply.fault);
    return reply.body;
  }

  async identify(signal?: AbortSignal): Promise<Identity> {
    const reply = this.#read(await this.#channel.post(identifyEnvelope(), { phase: 'identify', signal }), 'identify');
    if (reply.kind === 'fault') throw faultError(this.endpoint, 'identify', reply.fault);
    const identity = readIdentity(reply.body);
    if (identity === undefined) throw unreadable(this.endpoint, 'identify', new Error('it names no protocol'));
    return identity;
  }

  /** What `read` takes out of a reply; its errors name host and phase. */
  understand<T>(phase: Phase, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw unreadable(this.endpoint, phase, cause);
    }
  }

  #read(text: string, phase: Phase, messageId?: string): Reply {
    const { root, body, fault } = this.understand(phase, () => {
      const read = parseXml(text);
      return { root: read, body: bodyOf(read), fault: readFault(read) };
    });
    const related = messageId === undefined ? undefined : relatesTo(root);
    if (related !== undefined && related !== messageId?.toLowerCase()) {
      this.#channel.reset();
      const what = 'answered a different request: the connection is out of sync';
      throw failure(this.endpoint, {
        code: 'lost',
        phase,
        what,
        hint: 'is there a proxy between fettle and the host? try again',
      });
    }
    return fault === undefined ? { kind: 'body', body } : { kind: 'fault', fault };
  }
}

/** The UUID an answer names; some services write it with a dot after `uuid`, some leave it out. */
function relatesTo(root: XmlElement): string | undefined {
  const text = childOf(childOf(root, namespaces.s, 'Header'), namespaces.a, 'RelatesTo')?.text ?? '';
  return /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(text)?.[0].toLowerCase();
}

function unreadable(endpoint: Endpoint, phase: Phase, cause: unknown): FettleError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const what = `sent an answer that cannot be parsed: ${reason}`;
  const hint = 'the request may have taken effect; is WinRM listening on that port?';
  return failure(endpoint, { code: 'command', phase, what, hint, cause });
}

/** The connection failed, not the request: retrying on a new one may work. */
export function isLoss(error: unknown): error is FettleError {
  return (
    error instanceof FettleError &&
    ['lost', 'timeout', 'connect'].includes(error.code) &&
    error.details?.['fault'] === undefined
  );
}
