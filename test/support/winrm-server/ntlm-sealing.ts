// Message confidentiality with extended session security, connection-oriented (MS-NLMP 3.4.4 and 3.4.5).
import { createHash } from 'node:crypto';
import { flag } from './ntlm-message.ts';
import { hmac, isSame } from './ntlm-verify.ts';
import { Rc4Stream } from './rc4.ts';

export interface Sealed {
  readonly signature: Buffer;
  readonly ciphertext: Buffer;
}

type Direction = 'client-to-server' | 'server-to-client';

/** The server's end of one connection's two streams. Never used again after a message that did not verify. */
export class NtlmSealing {
  readonly #incoming: OneWay;
  readonly #outgoing: OneWay;

  constructor(key: Buffer, flags: number) {
    this.#incoming = new OneWay(key, flags, 'client-to-server');
    this.#outgoing = new OneWay(key, flags, 'server-to-client');
  }

  seal(plain: Buffer): Sealed {
    const ciphertext = this.#outgoing.cipher.update(plain);
    return { ciphertext, signature: this.#outgoing.sign(plain) };
  }

  /** Undefined where signature or sequence number is not the expected one. */
  unseal({ signature, ciphertext }: Sealed): Buffer | undefined {
    const plain = this.#incoming.cipher.update(ciphertext);
    return isSame(this.#incoming.sign(plain), signature) ? plain : undefined;
  }
}

class OneWay {
  readonly cipher: Rc4Stream;
  readonly #signKey: Buffer;
  readonly #isKeyExchanged: boolean;
  #sequence = 0;

  constructor(key: Buffer, flags: number, direction: Direction) {
    this.#signKey = derive(key, `session key to ${direction} signing key magic constant`);
    const kept = key.subarray(0, keyLength(flags));
    this.cipher = new Rc4Stream(derive(kept, `session key to ${direction} sealing key magic constant`));
    this.#isKeyExchanged = (flags & flag.keyExchange) !== 0;
  }

  /** Signature of the message that was just enciphered; counts. */
  sign(plain: Buffer): Buffer {
    const signature = Buffer.alloc(16);
    signature.writeUInt32LE(1, 0);
    signature.writeUInt32LE(this.#sequence, 12);
    const sum = hmac(this.#signKey, signature.subarray(12), plain).subarray(0, 8);
    (this.#isKeyExchanged ? this.cipher.update(sum) : sum).copy(signature, 4);
    this.#sequence += 1;
    return signature;
  }
}

function derive(key: Buffer, words: string): Buffer {
  return createHash('md5').update(key).update(`${words}\0`, 'latin1').digest();
}

function keyLength(flags: number): number {
  if ((flags & flag.bits128) !== 0) return 16;
  return (flags & flag.bits56) === 0 ? 5 : 7;
}
