// Kerberos for WinRM: AP-REQ and AP-REP inside `Kerberos`, messages sealed by RFC 4121 in the layout WinRM expects.
import { isIP } from 'node:net';
import { FettleError } from '../../../domain/error.ts';
import { tlsServerEndPoint } from './channel-binding.ts';
import { GssContext } from './gss.ts';
import type { AuthStep, ContextRequest, SealedMessage, SecurityContext } from './security-context.ts';

const headerLength = 16;
/** Random bytes in front of the text, one block of AES. */
const confounderLength = 16;
/** `TOK_ID` of a wrap token, RFC 4121 4.2.6.2. */
const wrapTokenId = 0x0504;
const sealedFlag = 2;

/**
 * A login by Kerberos whose tickets are there. Throws `auth` without koffi or the library, without a ticket, for a
 * refused password (`details.isRefused`), an unknown service and every other refusal of the KDC; `parse` for a broken
 * certificate.
 */
export async function openKerberos(request: ContextRequest): Promise<SecurityContext> {
  const { password, certificate, delegation = false } = request;
  const client = clientPrincipal(request.user);
  if (client === undefined && password !== undefined) {
    throw new FettleError('auth', `kerberos for ${request.serviceHost} has a password but no user`, {
      hint: 'set the user as user@REALM, or use a ticket without a password',
    });
  }
  const { context, token } = await GssContext.open({
    client,
    password,
    services: servicePrincipals(request),
    channelBinding: certificate === undefined ? undefined : tlsServerEndPoint(certificate),
    delegation,
  });
  return new KerberosContext(context, token, request);
}

/** `user@realm` with the realm in capitals, as those of Windows domains are; `dns.domain\user` the same; undefined for none. */
export function clientPrincipal(user: string): string | undefined {
  if (user === '') return undefined;
  const [domain, account] = user.split('\\', 2);
  if (account !== undefined && domain !== undefined) {
    if (domain.includes('.') && domain !== '.') return `${account}@${domain.toUpperCase()}`;
    throw new FettleError('auth', `Kerberos needs a realm, and ${user} has none`, {
      hint: 'write the user as user@REALM, or use ntlm for an account of the host itself',
    });
  }
  const at = user.lastIndexOf('@');
  return at === -1 ? user : `${user.slice(0, at)}@${user.slice(at + 1).toUpperCase()}`;
}

/** A name with `@` and nothing after it lets the KDC find the realm. */
export function servicePrincipals({
  serviceHost,
  servicePrincipal,
}: Pick<ContextRequest, 'serviceHost' | 'servicePrincipal'>): readonly string[] {
  if (servicePrincipal?.includes('/') === true) {
    return [servicePrincipal.includes('@') ? servicePrincipal : `${servicePrincipal}@`];
  }
  if (isIP(serviceHost) !== 0) {
    throw new FettleError('auth', `kerberos needs the name of the host, and ${serviceHost} is an address`, {
      hint: 'use the full name of the host in the inventory, or set its Kerberos name next to the address',
    });
  }
  const services = servicePrincipal === undefined ? ['HTTP', 'WSMAN', 'HOST'] : [servicePrincipal];
  return services.map((service) => `${service}/${serviceHost}@`);
}

class KerberosContext implements SecurityContext {
  readonly scheme = 'Kerberos';
  readonly sealingProtocol = 'application/HTTP-Kerberos-session-encrypted';
  readonly #context: GssContext;
  readonly #isDelegationWanted: boolean;
  readonly #serviceHost: string;
  #firstToken: Buffer | undefined;

  constructor(context: GssContext, firstToken: Buffer, request: ContextRequest) {
    this.#context = context;
    this.#firstToken = firstToken;
    this.#isDelegationWanted = request.delegation === true;
    this.#serviceHost = request.serviceHost;
  }

  get isComplete(): boolean {
    return this.#context.isComplete;
  }

  step(challenge?: Buffer): AuthStep | undefined {
    const first = this.#firstToken;
    if (first !== undefined) {
      this.#firstToken = undefined;
      return { token: first, isLast: true };
    }
    if (this.isComplete) return undefined;
    if (challenge === undefined) throw new FettleError('internal', 'step() without the answer of the host');
    const token = this.#context.step(challenge);
    if (this.isComplete) this.#requireDelegation();
    return token.length === 0 ? undefined : { token, isLast: this.isComplete };
  }

  seal(plain: Buffer): SealedMessage {
    return splitWrapToken(this.#context.wrap(plain), plain.length);
  }

  unseal({ signature, ciphertext }: SealedMessage): Buffer {
    return this.#context.unwrap(Buffer.concat([signature, ciphertext]));
  }

  [Symbol.dispose](): void {
    this.#context[Symbol.dispose]();
  }

  #requireDelegation(): void {
    if (!this.#isDelegationWanted || this.#context.isDelegated) return;
    throw new FettleError('auth', `the ticket was not delegated to ${this.#serviceHost}`, {
      hint: 'the ticket must be forwardable (kinit -f) and the host trusted for delegation; or turn delegation off',
    });
  }
}

/**
 * A wrap token as WinRM sends it: all behind the header rotated right by what is not text (RFC 4121 4.2.5), so that the
 * last bytes, as many as the text has, are the text's own ciphertext and everything else stands before them. Throws `auth`
 * for tokens of weak ciphers, which are built in another way.
 */
export function splitWrapToken(token: Buffer, plainLength: number): SealedMessage {
  const rotation = token.length - headerLength - confounderLength - plainLength;
  const isAes =
    token.length >= headerLength &&
    token.readUInt16BE(0) === wrapTokenId &&
    ((token[2] ?? 0) & sealedFlag) !== 0 &&
    token.readUInt32BE(4) === 0 &&
    rotation > headerLength;
  if (!isAes) {
    throw new FettleError('auth', 'kerberos chose a cipher that cannot seal messages for WinRM', {
      hint: 'allow AES for the account of the host (msDS-SupportedEncryptionTypes) and in krb5.conf',
    });
  }
  const header = Buffer.from(token.subarray(0, headerLength));
  header.writeUInt16BE(rotation, 6);
  const textEnd = token.length - rotation;
  const textStart = textEnd - plainLength;
  return {
    signature: Buffer.concat([header, token.subarray(textEnd), token.subarray(headerLength, textStart)]),
    ciphertext: token.subarray(textStart, textEnd),
  };
}
