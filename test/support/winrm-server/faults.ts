import type { SoapFault } from './soap.ts';

/** One thing that goes wrong with one request. */
export type WireFault =
  /** The connection ends before the host did anything. */
  | { readonly kind: 'drop-request' }
  /** The host did it, and the connection ends without an answer; `isKept`: output is there for the next Receive again. */
  | { readonly kind: 'drop-response'; readonly isKept?: boolean }
  /** The connection ends in the middle of the answer's body. */
  | { readonly kind: 'close-mid-body' }
  /** The answer comes twice. */
  | { readonly kind: 'repeat-response' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** An empty answer with this status, and nothing was done; 401 forgets the login of the connection. */
  | { readonly kind: 'status'; readonly status: 401 | 403 | 404 | 413 | 500 | 503 }
  /** A fault instead of the operation. */
  | { readonly kind: 'fault'; readonly fault: SoapFault }
  /** The answer to a sealed request comes in the clear. */
  | { readonly kind: 'unsealed' }
  /** One bit of the sealed answer is wrong. */
  | { readonly kind: 'broken-seal' }
  /** The answer relates to another message. */
  | { readonly kind: 'foreign-relates-to' }
  /** Status 200 with this text as the answer (sealed where the request was). */
  | { readonly kind: 'text'; readonly text: string };

export interface FaultRule {
  /** `Create`, `Receive`…, or `Handshake` for the messages of a login; absent = every operation. */
  readonly on?: string;
  /** How many that fit are let through first. Default 0. */
  readonly after?: number;
  /** How often. Default 1. */
  readonly times?: number;
  readonly fault: WireFault;
}

/** What is to go wrong, in the order it was asked for. */
export class FaultPlan {
  #rules: { readonly rule: FaultRule; after: number; times: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule, after: rule.after ?? 0, times: rule.times ?? 1 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** How many rules have not been used up. */
  get left(): number {
    return this.#rules.length;
  }

  take(name: string): WireFault | undefined {
    for (const one of this.#rules) {
      if (one.rule.on === undefined ? name === 'Handshake' : one.rule.on !== name) continue;
      if (one.after > 0) {
        one.after -= 1;
        continue;
      }
      one.times -= 1;
      if (one.times <= 0) this.#rules = this.#rules.filter((other) => other !== one);
      return one.rule.fault;
    }
    return undefined;
  }
}
