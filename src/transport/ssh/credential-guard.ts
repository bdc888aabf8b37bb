import { createHash } from 'node:crypto';
import type { Secret } from '../../domain/secret.ts';

const refusalsAllowed = 2;

/**
 * Remembers refused passwords for the whole fleet: one that two hosts refused without any accepting it is offered to
 * no further host, because a directory behind them would lock the account.
 */
export class CredentialGuard {
  readonly #refusals = new Map<string, number>();

  #key(user: string, secret: Secret): string {
    return createHash('sha256').update(`${user}\0${secret.reveal()}`).digest('hex');
  }

  mayOffer(user: string, secret: Secret): boolean {
    return (this.#refusals.get(this.#key(user, secret)) ?? 0) < refusalsAllowed;
  }

  refused(user: string, secret: Secret): void {
    const key = this.#key(user, secret);
    const count = this.#refusals.get(key) ?? 0;
    // Once accepted anywhere it is right, and a refusal is that host's own matter.
    if (count >= 0) this.#refusals.set(key, count + 1);
  }

  accepted(user: string, secret: Secret): void {
    this.#refusals.set(this.#key(user, secret), Number.NEGATIVE_INFINITY);
  }
}
