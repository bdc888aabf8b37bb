// Every way to show a run. A reporter is one file and one line here; its code is loaded when it is used.
import { FettleError } from '../../domain/error.ts';
import type { Output } from '../text/output.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';

interface ReporterEntry {
  readonly name: string;
  readonly load: () => Promise<(output: Output, options: ReporterOptions) => Reporter>;
}

export const reporters = [
  { name: 'live', load: async () => (await import('./live.ts')).createLiveReporter },
  { name: 'plain', load: async () => (await import('./plain.ts')).createPlainReporter },
  { name: 'quiet', load: async () => (await import('./quiet.ts')).createQuietReporter },
  { name: 'jsonl', load: async () => (await import('./jsonl.ts')).createJsonlReporter },
] as const satisfies readonly ReporterEntry[];

type ReporterName = (typeof reporters)[number]['name'];

/** `FettleError('usage')` for a name that is not in the list. */
export async function createReporter(
  name: string,
  output: Output,
  options: Partial<ReporterOptions> = {},
): Promise<Reporter> {
  const entry: ReporterEntry | undefined = reporters.find((reporter) => reporter.name === name);
  if (entry === undefined) {
    const hint = `one of ${reporters.map((reporter) => reporter.name).join(', ')}`;
    throw new FettleError('usage', `there is no reporter "${name}"`, { hint });
  }
  const create = await entry.load();
  return create(output, { verbose: options.verbose ?? 0, accepted: options.accepted ?? [] });
}

/** The command line's options that decide how a run is shown. */
export interface ReporterChoice {
  readonly quiet?: boolean;
  readonly jsonl?: boolean;
  readonly verbose?: number;
  readonly progress?: 'auto' | 'plain' | 'none';
  /** Exit names that `--ok` accepts. */
  readonly accepted?: ReadonlySet<string>;
}

/** Progress goes to stderr as it can be shown there; `--jsonl` adds the events on stdout. */
export async function openReporter(choice: ReporterChoice, output: Output): Promise<Reporter> {
  const options = { verbose: choice.verbose ?? 0, accepted: [...(choice.accepted ?? [])] };
  const shown = await createReporter(progressName(choice, output), output, options);
  return choice.jsonl === true ? both(await createReporter('jsonl', output, options), shown) : shown;
}

function progressName(choice: ReporterChoice, output: Output): ReporterName {
  if (choice.quiet === true || choice.progress === 'none') return 'quiet';
  if (choice.progress === 'plain' || !output.canRedraw || (choice.verbose ?? 0) >= 2) return 'plain';
  return 'live';
}

function both(first: Reporter, second: Reporter): Reporter {
  return {
    event: (event) => {
      first.event(event);
      second.event(event);
    },
    drained: async () => void (await Promise.all([first.drained?.(), second.drained?.()])),
    finish: () => {
      first.finish();
      second.finish();
    },
  };
}
