import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../../src/domain/event.ts';
import type { Controlled } from '../lab/controller.ts';
import type { CommandResult } from '../lab/shell.ts';

/** A fettle process of a rollout, watched by the events it prints with `--jsonl`. */
export class RolloutProcess {
  readonly words: readonly string[];
  /** In the order printed. An event is printed after it was committed: all of these must be in the ledger. */
  readonly events: RunEvent[] = [];
  readonly #controlled: Controlled;
  readonly #listeners = new Set<() => void>();
  #rest = '';
  #ended: CommandResult | undefined;

  constructor(controlled: Controlled, words: readonly string[]) {
    this.words = words;
    this.#controlled = controlled;
    controlled.onStdout((text) => this.#read(text));
    void controlled.done().then((result) => {
      this.#ended = result;
      this.#tell();
    });
  }

  get pid(): number {
    return this.#controlled.pid;
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  kill(signal: NodeJS.Signals): void {
    this.#controlled.kill(signal);
  }

  done(): Promise<CommandResult> {
    return this.#controlled.done();
  }

  /** The steps of a host that have begun and not ended, as far as was printed. */
  openSteps(host: string): readonly string[] {
    const open: string[] = [];
    for (const event of this.events) {
      if (!('host' in event) || event.host !== host) continue;
      if (event.type === 'step.started') open.push(event.step);
      if (event.type === 'step.finished') open.splice(open.lastIndexOf(event.step), open.includes(event.step) ? 1 : 0);
    }
    return open;
  }

  /** Resolves with true as soon as `holds`, with false when it ends without. */
  async until(holds: (events: readonly RunEvent[]) => boolean): Promise<boolean> {
    while (!holds(this.events)) {
      if (this.hasEnded) return false;
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
    return true;
  }

  /** Waits for its end, for at most `limitMs`. */
  async endsWithin(limitMs: number): Promise<boolean> {
    const cancel = new AbortController();
    const limit = sleep(limitMs, false, { signal: cancel.signal }).catch(() => false);
    const hasEnded = await Promise.race([this.done().then(() => true), limit]);
    cancel.abort();
    return hasEnded;
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.events.push(eventOf(line));
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The event of a line, without the time and the number that only the line has. */
function eventOf(line: string): RunEvent {
  const { time: _time, seq: _seq, ...event } = JSON.parse(line) as RunEvent & { time?: string; seq?: number };
  return event;
}
