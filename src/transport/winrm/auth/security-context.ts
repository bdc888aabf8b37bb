/** One leg of a handshake: what goes into `Authorization`, and whether an answer's token is still needed. */
export interface AuthStep {
  /** Raw token; base64 of it follows the scheme. */
  readonly token: Buffer;
  /** True when nothing more will be sent after this one. */
  readonly isLast: boolean;
}

/** A message as it goes over the wire inside `multipart/encrypted`: the signature (or header) and the ciphertext. */
export interface SealedMessage {
  readonly signature: Buffer;
  readonly ciphertext: Buffer;
}

/**
 * One authentication with one host over one socket: a handshake, then (where the mechanism can) sealing in strict
 * sequence. A context is never used on a second socket. Errors are `FettleError`: `auth` for refused or downgraded
 * handshakes, `lost` for a sealed message that does not verify (the streams are out of step; the socket must be dropped).
 */
export interface SecurityContext extends Disposable {
  /** `Authorization: <scheme> <base64>`. */
  readonly scheme: 'Negotiate' | 'Kerberos';
  /** Media type inside `multipart/encrypted;protocol="…"`. */
  readonly sealingProtocol: 'application/HTTP-SPNEGO-session-encrypted' | 'application/HTTP-Kerberos-session-encrypted';
  readonly isComplete: boolean;
  /** First call without a token, then with the one of each 401 (or of the final 200: mutual authentication). */
  step(challenge?: Buffer): AuthStep | undefined;
  seal(plain: Buffer): SealedMessage;
  unseal(message: SealedMessage): Buffer;
}

/** Everything a handshake may need. */
export interface ContextRequest {
  readonly user: string;
  /** Text of the password; absent for Kerberos with a ticket cache. */
  readonly password?: string;
  /** Host part of the service principal `HTTP/<host>`. */
  readonly serviceHost: string;
  /** DER of the server's certificate; absent over plain HTTP. Makes the channel binding of RFC 5929 tls-server-end-point. */
  readonly certificate?: Buffer;
  /** True: a server that drops SEAL, SIGN, extended session security or 128 bits is refused. */
  readonly isSealingRequired: boolean;
  readonly randomBytes: (size: number) => Buffer;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Name of this machine as the host writes it into its log; nothing depends on it. */
  readonly workstation?: string;
  /** Kerberos only: whole principal, or its service part where that is not `HTTP`. */
  readonly servicePrincipal?: string;
  /** Kerberos only: delegates the ticket to the host. */
  readonly delegation?: boolean;
}
