import type { Clock } from '../../base/clock.ts';
import type { Operator } from '../../domain/event.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Output } from '../../report/text/output.ts';
import type { TransportEnvironment, Transports } from '../../transport/registry.ts';
import type { LedgerThread } from '../../ledger/thread.ts';
import type { Console } from './console.ts';
import type { Interruptions } from './signals.ts';
import type { UnderstoodCommand } from './invocation.ts';
import type { CommandOutline } from './options.ts';

/** Questions to the person; only asked where stdin and stderr are terminals. */
export interface Prompt {
  readonly isAvailable: boolean;
  password(message: string): Promise<Secret>;
  confirm(message: string): Promise<boolean>;
}

/** File descriptors of this process, getrlimit(2) RLIMIT_NOFILE. */
export interface Descriptors {
  readonly limit: number;
  /** Open now. */
  readonly open: number;
}

/** Everything a command may need from the outside; made by `app.ts`, or by a test. */
export interface Context {
  readonly version: string;
  readonly nodeVersion: string;
  /** The command as it was understood. It may hold secrets: `commandLine` makes what is recorded of it. */
  readonly command: UnderstoodCommand;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** @throws FettleError where there is none; not every command needs it. */
  readonly homeDir: string;
  /** Undefined where the platform does not report them, or sets no limit. */
  readonly descriptors: () => Descriptors | undefined;
  /** Undefined where the platform has none. */
  readonly uid: number | undefined;
  readonly clock: Clock;
  readonly console: Console;
  readonly output: Output;
  readonly prompt: Prompt;
  readonly operator: Operator;
  /** Is there a process of this number on this machine? */
  isProcessAlive(pid: number): boolean;
  readonly interruptions: Interruptions;
  /** A new ULID. */
  newId(): string;
  /** An unsigned 32-bit number. */
  randomSeed(): number;
  readonly openTransports: OpenTransports;
  /** A thread that was started before the command was loaded, for the first ledger that is opened. */
  readonly takeLedgerThread?: () => LedgerThread | undefined;
  /** Every command there is, in the order of help. */
  readonly commands: readonly CommandOutline[];
}

/** What the reading of a command line may use: nothing that reaches a host, a ledger or a screen. */
export type ReadContext = Pick<Context, 'cwd' | 'env' | 'clock' | 'prompt' | 'commands'>;

/** Makes the transports of one command; they share jump connections and are closed with it. */
export type OpenTransports = (environment: TransportEnvironment) => Transports;
