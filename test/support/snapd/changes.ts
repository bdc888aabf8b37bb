// Changes as snapd has them: tasks in a row, done one after the other, and undone in reverse where one fails. They go on
// whether a client waits for them or not.
import { setTimeout as wait } from 'node:timers/promises';

/** state.Status of snapd, as far as a change of ours meets it. */
type Status = 'Do' | 'Doing' | 'Done' | 'Undoing' | 'Undone' | 'Error' | 'Hold';

interface Task {
  readonly id: string;
  readonly summary: string;
  status: Status;
  log: readonly string[];
}

export interface ChangeOptions {
  readonly kind: string;
  readonly summary: string;
  readonly names: readonly string[];
  readonly tasks: readonly string[];
  /** The first task whose summary begins with `task` fails with `words`. */
  readonly failing?: { readonly task: string; readonly words: string };
  readonly onDone?: () => void;
}

const begunAt = Date.parse('2026-11-30T12:00:00Z');
/** Between two tasks, milliseconds. */
const pace = 5;

export class Change {
  readonly id: string;
  readonly #options: ChangeOptions;
  readonly #tasks: readonly Task[];

  constructor(id: string, options: ChangeOptions) {
    this.id = id;
    this.#options = options;
    this.#tasks = options.tasks.map((summary, at) => ({ id: `${id}${at}`, summary, status: 'Do', log: [] }));
  }

  get kind(): string {
    return this.#options.kind;
  }

  get names(): readonly string[] {
    return this.#options.names;
  }

  get isReady(): boolean {
    return ['Done', 'Error', 'Hold'].includes(this.status);
  }

  /** Of all its tasks: the first that is at work decides, then one that failed. */
  get status(): Status {
    const all = this.#tasks.map((task) => task.status);
    const isAtWork = (status: Status): boolean => all.includes(status);
    if (isAtWork('Undoing')) return 'Undoing';
    if (isAtWork('Doing')) return 'Doing';
    if (isAtWork('Error')) return all.includes('Done') ? 'Undoing' : 'Error';
    return all.every((status) => status === 'Done') ? 'Done' : isAtWork('Done') ? 'Doing' : 'Do';
  }

  /** One step; false when there is none left. */
  step(): boolean {
    if (this.isReady) return false;
    const failed = this.#tasks.findIndex((task) => task.status === 'Error');
    if (failed >= 0) return this.#undo(failed);
    const next = this.#tasks.find((task) => task.status === 'Do' || task.status === 'Doing');
    if (next === undefined) return false;
    if (next.status === 'Do') {
      next.status = 'Doing';
      return true;
    }
    this.#end(next);
    return true;
  }

  #end(task: Task): void {
    const { failing, onDone } = this.#options;
    if (failing !== undefined && task.summary.startsWith(failing.task)) {
      task.status = 'Error';
      task.log = [`2026-11-30T12:00:01Z ERROR ${failing.words}`];
      return;
    }
    task.status = 'Done';
    if (this.status === 'Done') onDone?.();
  }

  #undo(failed: number): boolean {
    for (const task of this.#tasks.slice(failed + 1)) if (task.status === 'Do') task.status = 'Hold';
    const last = this.#tasks.slice(0, failed).findLast((task) => task.status === 'Done' || task.status === 'Undoing');
    if (last === undefined) return false;
    last.status = last.status === 'Done' ? 'Undoing' : 'Undone';
    return true;
  }

  readonly toJson = (): unknown => {
    const { kind, summary } = this.#options;
    const times = { 'spawn-time': new Date(begunAt).toISOString() };
    const ready = this.isReady ? { 'ready-time': new Date(begunAt + 60_000).toISOString() } : {};
    return {
      ...{ id: this.id, kind, summary, status: this.status, ready: this.isReady, ...times, ...ready },
      ...(this.status === 'Error' ? { err: this.#error() } : {}),
      tasks: this.#tasks.map(({ id, summary: what, status, log }) => ({
        ...{ id, kind: 'task', summary: what, status, log, progress: { label: '', done: 0, total: 1 }, ...times },
      })),
    };
  };

  /** The words of overlord/state/change.go. */
  #error(): string {
    const lines = this.#tasks.flatMap(({ summary, log }) =>
      log.map((line) => `- ${summary} (${line.slice(line.indexOf(' ERROR ') + ' ERROR '.length)})`),
    );
    return ['cannot perform the following tasks:', ...lines].join('\n');
  }
}

export class ChangeList {
  readonly #all: Change[] = [];
  readonly #stopped = new AbortController();
  /** True: changes that have begun stay where they are. */
  isPaused = false;

  all(): readonly Change[] {
    return this.#all;
  }

  find(id: string): Change | undefined {
    return this.#all.find((change) => change.id === id);
  }

  begin(options: ChangeOptions): Change {
    const change = new Change(String(this.#all.length + 41), options);
    this.#all.push(change);
    change.step();
    void this.#run(change);
    return change;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(change: Change): Promise<void> {
    const { signal } = this.#stopped;
    try {
      while (!change.isReady) {
        await wait(pace, undefined, { signal });
        if (!this.isPaused) change.step();
      }
    } catch {
      // Stopped: snapd goes on where it was when it is started again, this one does not.
    }
  }
}
