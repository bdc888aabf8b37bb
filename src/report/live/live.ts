// The live view on a terminal: redrawn in place on stderr, at most five times a second.
import type { LiveEvent, RunEvent } from '../../domain/event.ts';
import { endText } from './end-of-run.ts';
import { eventLine } from './event-lines.ts';
import { renderLive } from './live-view.ts';
import type { Output } from '../text/output.ts';
import { Picture } from '../text/picture.ts';
import { createPlainReporter } from './plain.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { emptyRun, reduceRun } from '../run/progress.ts';

const redrawMs = 200;

/** Falls back to lines where stderr cannot be redrawn. */
export function createLiveReporter(output: Output, options: ReporterOptions): Reporter {
  return output.canRedraw ? new LiveReporter(output, options) : createPlainReporter(output, options);
}

class LiveReporter implements Reporter {
  readonly #output: Output;
  readonly #options: ReporterOptions;
  readonly #state = emptyRun();
  readonly #picture: Picture;
  readonly #timer: Disposable;
  readonly #hold: Disposable;

  constructor(output: Output, options: ReporterOptions) {
    this.#output = output;
    this.#options = options;
    // The cursor stays visible: a killed fettle leaves a terminal that needs no repair.
    this.#picture = new Picture(output.screen);
    this.#timer = output.every(redrawMs, () => this.#draw());
    this.#hold = output.holdScreen({
      around: (write) => {
        this.#picture.clear();
        write();
      },
      lost: () => this.#picture.forget(),
    });
  }

  event(event: RunEvent | LiveEvent): void {
    reduceRun(this.#state, event, this.#output.clock.elapsedMs());
    const { verbose } = this.#options;
    if (!isWorthKeeping(event, verbose)) return;
    const line = eventLine(event, verbose);
    if (line !== undefined) this.#output.stderr.write(`${line}\n`);
  }

  finish(): void {
    this.#timer[Symbol.dispose]();
    this.#picture.clear();
    this.#hold[Symbol.dispose]();
    const output = this.#output;
    output.stderr.write(output.asTyped(endText(this.#state, output.stderr)));
  }

  #draw(): void {
    if (this.#state.startedMs === undefined) return;
    const { stderr, clock } = this.#output;
    const size = { columns: stderr.columns(), rows: stderr.rows() };
    this.#picture.draw(renderLive(this.#state, { ...size, paint: stderr.paint, nowMs: clock.elapsedMs() }));
  }
}

/** What stays above the view when it moves on. */
function isWorthKeeping(event: RunEvent | LiveEvent, verbose: number): boolean {
  if (event.type === 'note') return event.level === 'warn' || verbose > 0;
  if (event.type === 'live.output' || event.type === 'live.note' || event.type === 'live.budget') return false;
  return verbose > 0 || event.type === 'run.stopping' || event.type === 'run.started' || event.type === 'run.resumed';
}
