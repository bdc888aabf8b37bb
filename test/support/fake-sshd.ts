// An SSH server in this process, for what a real sshd cannot be made to say.
import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, Server } from 'ssh2';

export interface Attempt {
  readonly method: string;
  readonly user: string;
  readonly password?: string;
}

/** Answers one attempt to log in: `hang` never does. */
export type Answer =
  | 'accept'
  | 'hang'
  | 'disconnect'
  | { readonly refuse: readonly ('publickey' | 'password' | 'keyboard-interactive')[]; readonly isPartial?: boolean };

// ssh2's own ed25519 keys do not always read back.
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const hostKey = privateKey.export({ type: 'sec1', format: 'pem' });

export class FakeSshd implements AsyncDisposable {
  readonly attempts: Attempt[] = [];
  readonly #server: Server;
  readonly #ends = new Set<() => void>();
  /** What keyboard-interactive asks. */
  questions: readonly string[] = ['Password: '];

  private constructor(answer: (attempt: Attempt) => Answer) {
    this.#server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      const end = (): void => void client.end();
      this.#ends.add(end);
      client.on('error', () => undefined);
      client.on('close', () => this.#ends.delete(end));
      client.on('authentication', (context) => {
        this.#ask(context, (attempt) => {
          this.attempts.push(attempt);
          settle(context, answer(attempt), end);
        });
      });
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec) => {
          const channel = acceptExec();
          channel.exit(0);
          channel.end();
        });
      });
    });
  }

  static async start(answer: (attempt: Attempt) => Answer): Promise<FakeSshd> {
    const fake = new FakeSshd(answer);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #ask(context: AuthContext, told: (attempt: Attempt) => void): void {
    const { method, username: user } = context;
    if (context.method === 'password') told({ method, user, password: context.password });
    else if (context.method === 'keyboard-interactive') {
      context.prompt(
        this.questions.map((prompt) => ({ prompt, echo: false })),
        (answers) => told({ method, user, password: answers.join('|') }),
      );
    } else told({ method, user });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function settle(context: AuthContext, answer: Answer, disconnect: () => void): void {
  if (answer === 'accept') context.accept();
  else if (answer === 'disconnect') disconnect();
  else if (answer !== 'hang') context.reject([...answer.refuse], answer.isPartial ?? false);
}
