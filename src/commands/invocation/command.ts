import type { ExitName } from '../../domain/exit.ts';
import type { Context, ReadContext } from './context.ts';
import type { Invocation } from './invocation.ts';
import type { OptionName } from './options.ts';

export type { Invocation } from './invocation.ts';

/** The module of a verb. What either function throws is a `FettleError`. */
interface VerbModule<Request> {
  /**
   * What is asked for: arguments and options parsed, defaults filled in, wrong values and combinations refused
   * (`usage`). No host is contacted, no ledger opened and nothing printed.
   */
  readonly read: (invocation: Invocation, context: ReadContext) => Request;
  /** Does it, and returns how it ended. */
  readonly run: (request: Request, context: Context) => Promise<ExitName>;
}

/** A command line that was read: what it asks for, and the work. */
interface ReadyCommand {
  readonly request: unknown;
  readonly run: (context: Context) => Promise<ExitName>;
}

type ReadCommand = (invocation: Invocation, context: ReadContext) => ReadyCommand;

/** A verb as help and completion know it; its code is loaded only when it runs. */
export interface CommandSpec {
  /** `scan`, or `run resume` for a verb under a noun. */
  readonly name: string;
  readonly summary: string;
  /** commander's notation, such as `<plan>` or `[command...]`. */
  readonly argument?: string;
  readonly options: readonly OptionName[];
  /** What an option means to this command, where that is more than the option's own description. */
  readonly meanings?: Readonly<Partial<Record<OptionName, string>>>;
  readonly examples: readonly string[];
  readonly load: () => Promise<ReadCommand>;
}

/** The `load` of a verb: its `run` takes the request that its `read` returns, whose type is known to nothing else. */
export function verb<Request>(load: () => Promise<VerbModule<Request>>): CommandSpec['load'] {
  return async () => {
    const { read, run } = await load();
    return (invocation, reading) => {
      const request = read(invocation, reading);
      return { request, run: (context) => run(request, context) };
    };
  };
}
