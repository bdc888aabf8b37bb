import { createHash } from 'node:crypto';
import type { Secret } from '../domain/secret.ts';

/** A password offered to one host; its outcome is reported exactly once. */
export interface Offer {
  accepted(): void;
  refused(): void;
  /** Unknown: the host stopped answering, or fettle gave up. */
  withdrawn(): void;
}

interface CredentialState {
  isProven: boolean;
  refusals: number;
  open: number;
  readonly waiting: (() => void)[];
}

const refusalsAllowed = 2;

/**
 * Remembers refused passwords for the whole fleet: one that was refused twice without ever being accepted is offered to
 * no further host, because a directory behind the hosts would lock the account. Until it was accepted once, no more
 * offers are under way than refusals are left; later ones wait for their answers.
 */
export class CredentialGuard {
  readonly #standings = new Map<string, CredentialState>();

  /** `account` names what the secret opens (a user, sudo to a user). Undefined: it must not be offered any more. */
  async offer(account: string, secret: Secret, signal?: AbortSignal): Promise<Offer | undefined> {
    const standing = this.#standing(account, secret);
    while (!standing.isProven) {
      if (standing.refusals >= refusalsAllowed) return undefined;
      if (standing.refusals + standing.open < refusalsAllowed) break;
      await turn(standing, signal);
    }
    standing.open += 1;
    return openOffer(standing);
  }

  #standing(account: string, secret: Secret): CredentialState {
    const key = createHash('sha256').update(`${account}\0${secret.reveal()}`).digest('hex');
    const known = this.#standings.get(key);
    if (known !== undefined) return known;
    const standing: CredentialState = { isProven: false, refusals: 0, open: 0, waiting: [] };
    this.#standings.set(key, standing);
    return standing;
  }
}

function openOffer(standing: CredentialState): Offer {
  let isOpen = true;
  const settle = (change: () => void) => (): void => {
    if (!isOpen) return;
    isOpen = false;
    standing.open -= 1;
    change();
    for (const wake of standing.waiting.splice(0)) wake();
  };
  return {
    accepted: settle(() => {
      standing.isProven = true;
    }),
    refused: settle(() => {
      standing.refusals += 1;
    }),
    withdrawn: settle(() => undefined),
  };
}

async function turn(standing: CredentialState, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal?.reason as Error);
  standing.waiting.push(resolve);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
