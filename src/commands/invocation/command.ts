import type { ExitName } from '../../domain/exit.ts';
import type { Context } from './context.ts';
import type { Invocation } from './invocation.ts';
import type { OptionName } from './options.ts';

export type { Invocation } from './invocation.ts';

/** What `load` brings: one verb. It returns how it ended; what it throws is a `FettleError`. */
interface CommandModule {
  run(invocation: Invocation, context: Context): Promise<ExitName>;
}

/** A verb as help and completion know it; its code is loaded only when it runs. */
export interface CommandSpec {
  /** `scan`, or `run resume` for a verb under a noun. */
  readonly name: string;
  readonly summary: string;
  /** commander's notation, such as `<plan>` or `[command...]`. */
  readonly argument?: string;
  readonly options: readonly OptionName[];
  readonly examples: readonly string[];
  readonly load: () => Promise<CommandModule>;
}
