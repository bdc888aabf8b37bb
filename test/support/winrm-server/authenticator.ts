// Who is at the other end of one connection.
import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import type { HttpRequest } from './http-wire.ts';
import { NtlmAcceptor, type Account, type BindingLevel, type Login } from './ntlm-acceptor.ts';
import { messageType } from './ntlm-message.ts';
import type { NtlmSealing } from './ntlm-sealing.ts';
import { claimedName, ntlmChannelBinding, RefusedHandshake } from './ntlm-verify.ts';
import type { ServerStats } from './server-stats.ts';

export interface AuthenticationOptions {
  readonly accounts: readonly Account[];
  readonly computer: string;
  readonly bindingLevel: BindingLevel;
  /** Of the server's certificate, as `MadeCertificate.bindingHash`. */
  readonly bindingHash?: Buffer;
  readonly isNegotiateOffered: boolean;
  readonly isBasicAllowed: boolean;
  /** Which account a client certificate stands for, by the certificate's SHA-256 in hex. */
  readonly certificateUsers: ReadonlyMap<string, string>;
  readonly withheldFlags?: number;
  readonly hasTimestamp?: boolean;
  /** Wrong passwords after which an account lets nobody in. */
  readonly lockoutThreshold?: number;
}

export type Verdict =
  | { readonly kind: 'known'; readonly user: string; readonly sealing?: NtlmSealing; readonly isNew?: boolean }
  | { readonly kind: 'unknown'; readonly headers: readonly (readonly [string, string])[] };

const certificateScheme = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual';

export class Authenticator {
  readonly #options: AuthenticationOptions;
  readonly #stats: ServerStats;
  readonly #socket: Socket;
  #acceptor: NtlmAcceptor | undefined;
  #login: Login | undefined;

  constructor(options: AuthenticationOptions, { stats, socket }: { stats: ServerStats; socket: Socket }) {
    this.#options = options;
    this.#stats = stats;
    this.#socket = socket;
  }

  check(request: HttpRequest): Verdict {
    const [scheme = '', value = ''] = (request.headers.get('authorization') ?? '').split(' ', 2);
    if (scheme === '') return this.#login === undefined ? this.#unknown() : { kind: 'known', ...this.#login };
    if (scheme.toLowerCase() === 'basic') return this.#basic(Buffer.from(value, 'base64').toString());
    if (scheme === certificateScheme) return this.#certificate();
    if (scheme !== 'Negotiate' || !this.#options.isNegotiateOffered) return this.#unknown();
    return this.#negotiate(Buffer.from(value, 'base64'));
  }

  /** The next request has to log in again. */
  forget(): void {
    this.#login = undefined;
    this.#acceptor = undefined;
  }

  offers(token?: Buffer): readonly (readonly [string, string])[] {
    if (token !== undefined) return [['WWW-Authenticate', `Negotiate ${token.toString('base64')}`]];
    const { isNegotiateOffered, isBasicAllowed } = this.#options;
    return [
      ...(isNegotiateOffered ? [['WWW-Authenticate', 'Negotiate'] as const] : []),
      ...(isBasicAllowed && this.#isTls ? [['WWW-Authenticate', 'Basic realm="WSMAN"'] as const] : []),
    ];
  }

  get #isTls(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  #negotiate(token: Buffer): Verdict {
    this.#login = undefined;
    try {
      if (messageType(token) === 1) {
        this.#stats.handshakes += 1;
        this.#acceptor = new NtlmAcceptor(this.#acceptorOptions());
        return { kind: 'unknown', headers: this.offers(this.#acceptor.challenge(token)) };
      }
      if (this.#acceptor === undefined) throw new RefusedHandshake('no handshake was begun on this connection');
      if (this.#isLockedOut(claimedName(token).user)) throw new RefusedHandshake('the account is locked out');
      const login = this.#acceptor.authenticate(token);
      this.#note(login);
      this.#login = login;
      return { kind: 'known', ...login, isNew: true };
    } catch (error) {
      this.#refuse(messageType(token) === 3 ? claimedName(token).user : '', error);
      return this.#unknown();
    } finally {
      if (messageType(token) !== 1) this.#acceptor = undefined;
    }
  }

  #basic(pair: string): Verdict {
    if (!this.#isTls) this.#stats.cleartextPasswords += 1;
    if (!this.#isTls || !this.#options.isBasicAllowed) return this.#unknown();
    const colon = pair.indexOf(':');
    const [user, password] = [pair.slice(0, colon), pair.slice(colon + 1)];
    const account = this.#options.accounts.find((one) => one.user.toLowerCase() === user.toLowerCase());
    // Basic is for the host's own accounts only.
    if (account?.password === password && account.domain === undefined && !this.#isLockedOut(user)) {
      return { kind: 'known', user: account.user };
    }
    this.#refuse(user, new RefusedHandshake('the password is wrong'));
    return this.#unknown();
  }

  #certificate(): Verdict {
    // The host asks for the certificate by renegotiation, which ended with TLS 1.2.
    if (!(this.#socket instanceof TLSSocket) || this.#socket.getProtocol() === 'TLSv1.3') return this.#unknown();
    const print = (this.#socket.getPeerX509Certificate()?.fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
    const user = this.#options.certificateUsers.get(print);
    return user === undefined ? this.#unknown() : { kind: 'known', user };
  }

  #unknown(): Verdict {
    return { kind: 'unknown', headers: this.offers() };
  }

  #acceptorOptions(): ConstructorParameters<typeof NtlmAcceptor>[0] {
    const { bindingHash, withheldFlags, hasTimestamp, accounts, computer, bindingLevel } = this.#options;
    return {
      accounts,
      computer,
      bindingLevel,
      ...(bindingHash === undefined ? {} : { binding: ntlmChannelBinding(bindingHash) }),
      ...(withheldFlags === undefined ? {} : { withheldFlags }),
      ...(hasTimestamp === undefined ? {} : { hasTimestamp }),
    };
  }

  #note({ targetName, channelBinding }: Login): void {
    this.#stats.logins += 1;
    this.#stats.targetNames.push(targetName);
    if (channelBinding !== undefined) this.#stats.channelBindings.push(channelBinding.toString('hex'));
  }

  #refuse(user: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#stats.failedLogins.push({ user, why });
  }

  #isLockedOut(user: string): boolean {
    const { lockoutThreshold = Number.POSITIVE_INFINITY } = this.#options;
    const wrong = this.#stats.failedLogins.filter((one) => one.user.toLowerCase() === user.toLowerCase());
    return wrong.length >= lockoutThreshold;
  }
}
