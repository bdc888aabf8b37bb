import type { AuthenticationType, NextAuthHandler } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import type { CredentialGuard, Offer } from '../credential-guard.ts';
import { findCandidates, type AuthSources, type Candidate, type Candidates } from './candidates.ts';
import type { Identities } from './identity.ts';

export interface AuthPorts {
  readonly guard: CredentialGuard;
  readonly identities: Identities;
  readonly signal: AbortSignal | undefined;
}

/** Offers the credentials one after the other, and remembers which were refused. */
export class Authentication {
  readonly #sources: AuthSources;
  readonly #ports: AuthPorts;
  readonly #candidates: Candidates;
  readonly #waiting: Candidate[];
  readonly #tried: string[] = [];
  #allowed: readonly AuthenticationType[] = [];
  #offered: { readonly candidate: Candidate; readonly offer: Offer | undefined } | undefined;
  #isPasswordRefused = false;
  #isPasswordWithheld = false;
  #isOver = false;
  /** Nothing is left to offer: the next event of ssh2 ends the login. */
  isExhausted = false;
  /** Called around a wait for other hosts' answers, which must not count as this host's time. */
  onWait: (isWaiting: boolean) => void = () => undefined;

  private constructor(sources: AuthSources, ports: AuthPorts, candidates: Candidates) {
    this.#sources = sources;
    this.#ports = ports;
    this.#candidates = candidates;
    this.#waiting = [...candidates.offers];
  }

  static async prepare(sources: AuthSources, ports: AuthPorts): Promise<Authentication> {
    return new Authentication(sources, ports, await findCandidates(sources, ports.identities));
  }

  /** ssh2 calls it for the first try (with null) and after each refusal or partial success. */
  readonly handler = (allowed: AuthenticationType[] | null, isPartial: boolean | null, next: NextAuthHandler): void => {
    if (allowed !== null) this.#allowed = allowed;
    this.#settle(isPartial === true);
    // Trying `none` first reveals the methods the host allows before a password is used, and logs in where none is
    // required.
    if (allowed === null && this.#waiting[0]?.name !== 'publickey') {
      next({ type: 'none', username: this.#sources.user });
      return;
    }
    this.#offerNext(allowed, next).catch(() => this.#giveUp(next));
  };

  accepted(): void {
    this.#isOver = true;
    this.#offered?.offer?.accepted();
    this.#offered = undefined;
  }

  /** The connection ended; `isAnswer` if the host ended it. */
  ended(isAnswer: boolean): void {
    this.#isOver = true;
    if (isAnswer) this.#offered?.offer?.refused();
    else this.#offered?.offer?.withdrawn();
    this.#offered = undefined;
  }

  failure(cause: unknown, why?: string): FettleError {
    const { host, user, beyondUs } = this.#sources;
    const tried = this.#tried.length === 0 ? 'there was nothing to offer' : `tried ${this.#tried.join(', ')}`;
    const allowed = this.#allowed.length === 0 ? [] : [`the host allows ${this.#allowed.join(', ')}`];
    const withheld = this.#isPasswordWithheld ? ['the password was not sent: it was refused twice before'] : [];
    const notes = [tried, ...allowed, ...withheld, ...this.#candidates.notes()].join('; ');
    const message = `${host} refuses the login of ${user}${why === undefined ? '' : `: ${why}`} (${notes})`;
    const beyond =
      beyondUs.length === 0 ? '' : `; OpenSSH would also use ${beyondUs.join(', ')}, which fettle does not support`;
    const advice = this.#isPasswordWithheld
      ? 'the password is probably wrong; it was not sent again so that the account is not locked'
      : 'check the user, the key or the password (-u, --private-key, -k), and that the account is allowed to log in';
    // sshd_config(5) MaxAuthTries: the right key may never have had its turn.
    const isCrowded = this.#tried.includes('agent') && !this.#sources.identitiesOnly;
    const crowd = isCrowded
      ? '; with many keys in the agent, name the right one: IdentityFile and IdentitiesOnly yes in ~/.ssh/config'
      : '';
    return new FettleError('auth', message, {
      hint: `${advice}${beyond}${crowd}`,
      details: { user, tried: this.#tried, allowed: this.#allowed },
      cause,
    });
  }

  #settle(isPartial: boolean): void {
    const offered = this.#offered;
    this.#offered = undefined;
    if (offered === undefined) return;
    if (isPartial) {
      offered.offer?.accepted();
    } else {
      offered.offer?.refused();
      // The same secret by another method would be one more refusal to the same account.
      if (offered.candidate.secret !== undefined) this.#isPasswordRefused = true;
    }
  }

  async #offerNext(allowed: readonly AuthenticationType[] | null, next: NextAuthHandler): Promise<void> {
    const { user } = this.#sources;
    for (;;) {
      const at = this.#waiting.findIndex((candidate) => this.#mayOffer(candidate, allowed));
      const [candidate] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (candidate === undefined) return this.#giveUp(next);
      const offer = candidate.secret === undefined ? undefined : await this.#ask(user, candidate.secret);
      if (this.#isOver) return offer?.withdrawn();
      if (candidate.secret !== undefined && offer === undefined) {
        this.#isPasswordWithheld = true;
        continue;
      }
      this.#offered = { candidate, offer };
      this.#tried.push(candidate.what);
      next(candidate.method);
      return;
    }
  }

  async #ask(user: string, secret: NonNullable<Candidate['secret']>): Promise<Offer | undefined> {
    this.onWait(true);
    try {
      return await this.#ports.guard.offer(user, secret, this.#ports.signal);
    } finally {
      if (!this.#isOver) this.onWait(false);
    }
  }

  #mayOffer(candidate: Candidate, allowed: readonly AuthenticationType[] | null): boolean {
    if (allowed !== null && !allowed.includes(candidate.name)) return false;
    return candidate.secret === undefined || (!this.#isPasswordRefused && !this.#isPasswordWithheld);
  }

  #giveUp(next: NextAuthHandler): void {
    if (this.#isOver) return;
    this.isExhausted = true;
    // ssh2 ends the authentication on false, which its type leaves out.
    Reflect.apply(next, undefined, [false]);
  }
}
