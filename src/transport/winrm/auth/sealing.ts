// Session security of NTLM with extended session security, [MS-NLMP] 3.4.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { FettleError } from '../../../domain/error.ts';
import { ntlmFlags } from './ntlm-message.ts';
import { Rc4 } from './rc4.ts';
import type { SealedMessage } from './security-context.ts';

export type Direction = 'client-to-server' | 'server-to-client';

export interface SealingKeys {
  /** Exported session key, 16 bytes; not kept. */
  readonly sessionKey: Buffer;
  /** As negotiated. */
  readonly flags: number;
  /** Which end this is. */
  readonly side: 'client' | 'server';
}

const signatureLength = 16;

/** [MS-NLMP] 3.4.5.2. */
export function signKey(sessionKey: Buffer, direction: Direction): Buffer {
  return derive(sessionKey, `session key to ${direction} signing key magic constant`);
}

/** [MS-NLMP] 3.4.5.3: of the session key only what the negotiated strength allows. */
export function sealKey(sessionKey: Buffer, direction: Direction, flags: number): Buffer {
  const strength = (flags & ntlmFlags.bits128) !== 0 ? 16 : (flags & ntlmFlags.bits56) !== 0 ? 7 : 5;
  return derive(sessionKey.subarray(0, strength), `session key to ${direction} sealing key magic constant`);
}

function derive(key: Buffer, constant: string): Buffer {
  return createHash('md5').update(key).update(`${constant}\0`, 'latin1').digest();
}

/** One direction: a key to sign, a cipher that runs on, and the number of the next message. */
class Stream implements Disposable {
  readonly #signKey: Buffer;
  readonly #cipher: Rc4;
  readonly #sealsChecksum: boolean;
  #sequence = 0;

  constructor(sessionKey: Buffer, direction: Direction, flags: number) {
    const key = sealKey(sessionKey, direction, flags);
    this.#signKey = signKey(sessionKey, direction);
    this.#cipher = new Rc4(key);
    this.#sealsChecksum = (flags & ntlmFlags.keyExchange) !== 0;
    key.fill(0);
  }

  crypt(bytes: Buffer): Buffer {
    return this.#cipher.update(bytes);
  }

  /** Of the next message; the message itself goes through the cipher first. */
  sign(plain: Buffer): Buffer {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(this.#sequence);
    this.#sequence = (this.#sequence + 1) >>> 0;
    const checksum = createHmac('md5', this.#signKey).update(number).update(plain).digest().subarray(0, 8);
    const version = Buffer.from([1, 0, 0, 0]);
    return Buffer.concat([version, this.#sealsChecksum ? this.crypt(checksum) : checksum, number]);
  }

  [Symbol.dispose](): void {
    this.#signKey.fill(0);
    this.#cipher[Symbol.dispose]();
  }
}

/**
 * Seals and unseals in strict sequence. A message that does not verify ends it: both ends are out of step from then on,
 * and every later call throws `lost`.
 */
export class NtlmSealing implements Disposable {
  readonly #outgoing: Stream;
  readonly #incoming: Stream;
  #isOpen = true;

  constructor({ sessionKey, flags, side }: SealingKeys) {
    const isClient = side === 'client';
    this.#outgoing = new Stream(sessionKey, isClient ? 'client-to-server' : 'server-to-client', flags);
    this.#incoming = new Stream(sessionKey, isClient ? 'server-to-client' : 'client-to-server', flags);
  }

  seal(plain: Buffer): SealedMessage {
    this.#requireOpen();
    const ciphertext = this.#outgoing.crypt(plain);
    return { ciphertext, signature: this.#outgoing.sign(plain) };
  }

  /** Throws `lost` for what was altered, lost, repeated or reordered. */
  unseal({ signature, ciphertext }: SealedMessage): Buffer {
    this.#requireOpen();
    const plain = this.#incoming.crypt(ciphertext);
    const expected = this.#incoming.sign(plain);
    if (signature.length === signatureLength && timingSafeEqual(signature, expected)) return plain;
    plain.fill(0);
    this[Symbol.dispose]();
    throw new FettleError('lost', 'a sealed message of the host does not verify', {
      hint: 'it was altered or lost in transit; the connection cannot be used any more',
    });
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    this.#outgoing[Symbol.dispose]();
    this.#incoming[Symbol.dispose]();
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new FettleError('lost', 'the sealed connection is closed');
  }
}
