// NTLMv2 of [MS-NLMP] 3.1 as a client: three messages, then sealing.
import { FettleError } from '../../../domain/error.ts';
import { channelBindingHash, tlsServerEndPoint } from './channel-binding.ts';
import {
  avIds,
  avMicPresent,
  clientFlags,
  decodeChallenge,
  encodeAuthenticate,
  encodeNegotiate,
  micLength,
  micOffset,
  ntlmFlags,
  type AvPair,
  type Challenge,
} from './ntlm-message.ts';
import { hmacMd5, ntlmV2Answer, ntowfV2, splitUser, type NtlmAccount } from './ntlm-response.ts';
import { Rc4 } from './rc4.ts';
import { NtlmSealing } from './sealing.ts';
import type { AuthStep, ContextRequest, SealedMessage, SecurityContext } from './security-context.ts';

/** Flags a host may set on its own, beyond those requested. */
const targetTypes = ntlmFlags.targetTypeDomain | ntlmFlags.targetTypeServer;

/** Without any of these a message cannot be sealed as it must be. */
const sealingFlags: readonly (readonly [flag: number, name: string])[] = [
  [ntlmFlags.seal, 'sealing'],
  [ntlmFlags.sign, 'signing'],
  [ntlmFlags.extendedSessionSecurity, 'extended session security'],
  [ntlmFlags.bits128, '128-bit keys'],
];

/**
 * NTLMv2 with MIC, service name and channel binding; the raw messages go inside `Negotiate`. Passwords and keys are kept
 * no longer than they are needed, and are overwritten when the context is disposed of.
 */
export class NtlmContext implements SecurityContext {
  readonly scheme = 'Negotiate';
  readonly sealingProtocol = 'application/HTTP-SPNEGO-session-encrypted';
  readonly #request: Omit<ContextRequest, 'password'>;
  readonly #account: NtlmAccount;
  readonly #key: Buffer;
  readonly #binding: Buffer | undefined;
  #negotiate: Buffer | undefined;
  #sealing: NtlmSealing | undefined;
  #isComplete = false;
  #isClosed = false;

  /**
   * `channelBinding` is application data of RFC 5929, as a rule that of the certificate. Throws `auth` without user or
   * password, `parse` for a certificate that cannot be read.
   */
  constructor({ password, ...request }: ContextRequest, channelBinding = bindingOf(request)) {
    if (request.user === '' || password === undefined) {
      throw new FettleError('auth', `ntlm for ${request.serviceHost} needs a user and a password`, {
        hint: 'set both, or use kerberos with a ticket',
      });
    }
    this.#request = request;
    this.#account = splitUser(request.user);
    this.#binding = channelBinding === undefined ? undefined : channelBindingHash(channelBinding);
    this.#key = ntowfV2(password, this.#account);
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** First NEGOTIATE, then AUTHENTICATE; undefined when the handshake is complete. Throws `auth` when downgraded. */
  step(challenge?: Buffer): AuthStep | undefined {
    if (this.#isClosed) throw new FettleError('internal', 'step() on an NTLM login that is closed');
    if (this.#isComplete) return undefined;
    if (this.#negotiate === undefined) {
      this.#negotiate = encodeNegotiate();
      return { token: this.#negotiate, isLast: false };
    }
    if (challenge === undefined) throw new FettleError('internal', 'step() without the challenge of the host');
    const token = this.#authenticate(this.#negotiate, challenge);
    this.#isComplete = true;
    this.#key.fill(0);
    return { token, isLast: true };
  }

  seal(plain: Buffer): SealedMessage {
    return this.#requireSealing().seal(plain);
  }

  unseal(message: SealedMessage): Buffer {
    return this.#requireSealing().unseal(message);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#key.fill(0);
    this.#sealing?.[Symbol.dispose]();
  }

  #authenticate(negotiate: Buffer, message: Buffer): Buffer {
    const { randomBytes, now, serviceHost, isSealingRequired, workstation = '' } = this.#request;
    const challenge = decodeChallenge(message);
    const flags = negotiatedFlags(challenge, serviceHost, isSealingRequired);
    const answer = ntlmV2Answer({
      key: this.#key,
      serverChallenge: challenge.serverChallenge,
      clientChallenge: randomBytes(8),
      nowMs: now(),
      pairs: answeredPairs(challenge.targetInfo, `HTTP/${serviceHost}`, this.#binding),
    });
    const hasKeyExchange = (flags & ntlmFlags.keyExchange) !== 0;
    const sessionKey = hasKeyExchange ? randomBytes(16) : Buffer.from(answer.keyExchangeKey);
    const token = encodeAuthenticate({
      ...this.#account,
      ...answer,
      flags,
      workstation,
      encryptedSessionKey: hasKeyExchange ? exchanged(answer.keyExchangeKey, sessionKey) : Buffer.alloc(0),
    });
    if (answer.hasTimestamp) writeMic(sessionKey, [negotiate, message, token]);
    if (sealingFlags.every(([flag]) => (flags & flag) !== 0)) {
      this.#sealing = new NtlmSealing({ sessionKey, flags, side: 'client' });
    }
    answer.keyExchangeKey.fill(0);
    sessionKey.fill(0);
    return token;
  }

  #requireSealing(): NtlmSealing {
    if (this.#sealing !== undefined) return this.#sealing;
    throw new FettleError('internal', 'nothing was agreed on to seal messages with');
  }
}

function bindingOf({ certificate }: Pick<ContextRequest, 'certificate'>): Buffer | undefined {
  return certificate === undefined ? undefined : tlsServerEndPoint(certificate);
}

/** The host's pairs with what this end adds; with a time, also that a MIC is there. */
function answeredPairs(offered: readonly AvPair[], target: string, binding: Buffer | undefined): readonly AvPair[] {
  const kept = offered.filter(({ id }) => id !== avIds.targetName && id !== avIds.channelBindings);
  const hasTimestamp = kept.some(({ id }) => id === avIds.timestamp);
  const hasFlags = kept.some(({ id }) => id === avIds.flags);
  return [
    ...kept.map((pair) => (hasTimestamp && pair.id === avIds.flags ? { ...pair, value: withMic(pair.value) } : pair)),
    ...(hasTimestamp && !hasFlags ? [{ id: avIds.flags, value: withMic(Buffer.alloc(4)) }] : []),
    ...(binding === undefined ? [] : [{ id: avIds.channelBindings, value: binding }]),
    { id: avIds.targetName, value: Buffer.from(target, 'utf16le') },
  ];
}

function withMic(value: Buffer): Buffer {
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE((value.readUInt32LE(0) | avMicPresent) >>> 0);
  return flags;
}

/** The requested flags that the host granted. Throws `auth` when they are too weak. */
function negotiatedFlags({ flags, targetInfo }: Challenge, host: string, isSealingRequired: boolean): number {
  const missing = sealingFlags.filter(([flag]) => isSealingRequired && (flags & flag) === 0).map(([, name]) => name);
  if ((flags & ntlmFlags.unicode) === 0) missing.push('Unicode');
  if (isSealingRequired && !targetInfo.some(({ id }) => id === avIds.timestamp)) missing.push('a time for the MIC');
  if (missing.length > 0) {
    throw new FettleError('auth', `${host} refuses ${missing.join(', ')} in the NTLM login; nothing weaker is sent`, {
      hint: 'this may be a downgrade attack; use https, and check the NTLM policies of the host',
      details: { missing },
    });
  }
  return (flags & (clientFlags | targetTypes)) >>> 0;
}

function exchanged(keyExchangeKey: Buffer, sessionKey: Buffer): Buffer {
  using cipher = new Rc4(keyExchangeKey);
  return cipher.update(sessionKey);
}

/** [MS-NLMP] 3.1.5.1.2: over the three messages as sent, the last with zeros where the MIC goes. */
function writeMic(
  sessionKey: Buffer,
  messages: readonly [negotiate: Buffer, challenge: Buffer, authenticate: Buffer],
): void {
  hmacMd5(sessionKey, ...messages).copy(messages[2], micOffset, 0, micLength);
}
