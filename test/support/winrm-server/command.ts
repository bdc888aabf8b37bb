import type { HostProcess } from './command-host.ts';

export interface Taken {
  readonly pieces: readonly { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer }[];
  /** Set with the last piece. */
  readonly exitCode: number | undefined;
}

/** Bytes kept for the next Receive before the process is held back. */
const heldBytes = 1 << 20;

/** One command of a shell: its process and the output that no Receive has fetched. */
export class Command {
  readonly id: string;
  readonly line: string;
  readonly process: HostProcess;
  #waiting: { readonly stream: 'stdout' | 'stderr'; bytes: Buffer }[] = [];
  #size = 0;
  #exitCode: number | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(id: string, line: string, process: HostProcess) {
    this.id = id;
    this.line = line;
    this.process = process;
    process.onOutput((stream, bytes) => {
      this.#waiting.push({ stream, bytes });
      this.#count(bytes.length);
      this.#change();
    });
    void process.ended.then((code) => {
      this.#exitCode = code >>> 0;
      this.#change();
    });
  }

  get hasEnded(): boolean {
    return this.#exitCode !== undefined;
  }

  get waitingBytes(): number {
    return this.#size;
  }

  /** Settles at the next output or at the end. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Takes at most so many bytes away. */
  take(limit: number): Taken {
    const pieces: { stream: 'stdout' | 'stderr'; bytes: Buffer }[] = [];
    for (let left = limit; left > 0;) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      const bytes = first.bytes.subarray(0, left);
      pieces.push({ stream: first.stream, bytes });
      first.bytes = first.bytes.subarray(bytes.length);
      if (first.bytes.length === 0) this.#waiting.shift();
      left -= bytes.length;
      this.#count(-bytes.length);
    }
    return { pieces, exitCode: this.#waiting.length === 0 ? this.#exitCode : undefined };
  }

  /** Puts back what an answer that never left had taken. */
  giveBack({ pieces }: Taken): void {
    this.#waiting = [...pieces.map(({ stream, bytes }) => ({ stream, bytes })), ...this.#waiting];
    this.#count(pieces.reduce((sum, { bytes }) => sum + bytes.length, 0));
    this.#change();
  }

  #count(bytes: number): void {
    const wasFull = this.#size >= heldBytes;
    this.#size += bytes;
    const isFull = this.#size >= heldBytes;
    if (wasFull !== isFull) this.process.setFlowing?.(!isFull);
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
