import type { BaseAgent, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2';
// Its index would load a server and the HTTP clients of Node.js as well.
import agents from 'ssh2/lib/agent.js';

export interface AgentChoice {
  /** Only these public keys (blobs), as `IdentitiesOnly` wants; undefined = all it has. */
  readonly only: readonly Buffer[] | undefined;
  /** By the configuration's algorithms and sizes. */
  readonly isAllowed: (blob: Buffer) => boolean;
  /** Offered from a file already. */
  readonly except: readonly Buffer[];
  /** Of sshd's tries; further keys would use up those that are needed after them. */
  readonly atMost: number;
}

/** The agent behind a socket, with the choice of its keys that OpenSSH would offer. */
export class ChosenAgent extends agents.BaseAgent<ParsedKey> {
  readonly #agent: BaseAgent;
  readonly #choice: AgentChoice;
  /** Keys of the agent that were left out because of `atMost`. */
  leftOut = 0;

  constructor(socket: string, choice: AgentChoice) {
    super();
    this.#agent = agents.createAgent(socket);
    this.#choice = choice;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    this.#agent.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) {
        callback(error);
        return;
      }
      const parsed = (keys ?? []).filter((key): key is ParsedKey => typeof key === 'object' && 'getPublicSSH' in key);
      const wanted = parsed.filter((key) => this.#isWanted(key.getPublicSSH()));
      this.leftOut = Math.max(0, wanted.length - this.#choice.atMost);
      callback(undefined, wanted.slice(0, this.#choice.atMost));
    });
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    if (typeof options === 'function') this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, callback);
  }

  #isWanted(blob: Buffer): boolean {
    const { only, except, isAllowed } = this.#choice;
    return (
      isAllowed(blob) &&
      !except.some((other) => other.equals(blob)) &&
      (only?.some((other) => other.equals(blob)) ?? true)
    );
  }
}
