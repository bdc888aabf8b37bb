// A Windows host that repeats a recorded answer: the answer of a probe, with a mark and a machine of its own.
import { createHash } from 'node:crypto';
import type { CommandHost, HostProcess } from '../../test/support/winrm-server/command-host.ts';

export interface CannedAnswer {
  /** The frame of the host that was asked. */
  readonly frame: string;
  /** Of the request that was answered. */
  readonly mark: string;
  /** Identity of the machine that answered. */
  readonly machine: string;
}

/** Every command that is started here is a probe, and answers when it is released. */
export class CannedHost implements CommandHost {
  readonly state = 'running';
  readonly #name: string;
  readonly #answer: CannedAnswer;
  readonly #letGo: Promise<void>;
  readonly #asked: () => void;

  /** `asked` is called for each probe that came whole, which waits for `letGo`. */
  constructor(
    name: string,
    answer: CannedAnswer,
    { asked, letGo }: { readonly asked: () => void; readonly letGo: Promise<void> },
  ) {
    this.#name = name;
    this.#answer = answer;
    this.#asked = asked;
    this.#letGo = letGo;
  }

  start(): HostProcess {
    const { promise: ended, resolve } = Promise.withResolvers<number>();
    let mark = '';
    let say: Parameters<HostProcess['onOutput']>[0] = () => undefined;
    return {
      ended,
      write: (bytes, isEnd) => {
        mark ||= /^v1 (?<mark>\S+) /.exec(Buffer.from(bytes).toString('latin1'))?.groups?.['mark'] ?? '';
        if (!isEnd) return;
        this.#asked();
        void this.#letGo.then(() => {
          say('stdout', this.#answerTo(mark));
          resolve(0);
        });
      },
      onOutput: (listener) => (say = listener),
      kill: () => resolve(0xc000_013a),
    };
  }

  query(): undefined {
    return undefined;
  }

  /** As bootstrap.ps1 prints it. */
  #answerTo(mark: string): Buffer {
    const recorded = this.#answer;
    const frame = recorded.frame.replaceAll(recorded.mark, mark).replaceAll(recorded.machine, this.#ownMachine());
    const bytes = Buffer.from(frame);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const lines = bytes.toString('base64').replaceAll(/.{8000}/g, '$&\n');
    return Buffer.from(`<<FETTLE:${mark}:${bytes.length}:${digest}:${lines}>>\n`);
  }

  #ownMachine(): string {
    const own = createHash('sha256').update(this.#name).digest('hex');
    return own.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  }
}
