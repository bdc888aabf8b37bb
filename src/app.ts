// The only composition root: what the process gives (streams, environment, clock, signals) becomes a Context.
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { CommanderError } from 'commander';
import { ulid } from 'ulid';
import { systemClock, type BootTime } from './base/clock.ts';
import type { CommandSpec, Invocation } from './commands/invocation/command.ts';
import { createConsole } from './commands/invocation/console.ts';
import type { Context, Descriptors, OpenTransports, Prompt } from './commands/invocation/context.ts';
import type { Options } from './commands/invocation/options.ts';
import { acceptedExits, exitCodeOf, exitNameOf } from './commands/invocation/exit.ts';
import { watchInterruptions, type InterruptSignal, type Interruptions } from './commands/invocation/signals.ts';
import { commands } from './commands/registry.ts';
import { ownName } from './commands/invocation/own-name.ts';
import { createProgram } from './commands/program.ts';
import { readOperator } from './commands/invocation/operator.ts';
import { createPrompt } from './commands/invocation/prompt.ts';
import { FettleError } from './domain/error.ts';
import type { Operator } from './domain/event.ts';
import { exitCodes, type ExitName } from './domain/exit.ts';
import { renderError } from './report/text/error-text.ts';
import type { LedgerThread } from './ledger/thread.ts';
import { commandsAsTyped, createOutput, endQuietlyOnClosedPipe, type Output } from './report/text/output.ts';
import { openTransports } from './transport/registry.ts';
import { distrustOfFile, trustedSearchPath } from './trust/trusted-path.ts';

/** Where this program lies: `cli.js` in the `dist` of a package, `cli.ts` in the `src` of a checkout. */
const location = {
  file: join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'cli.ts' : 'cli.js'),
  root: join(import.meta.dirname, '..'),
};

/** What a test may put in place of the real thing. */
export interface AppOptions {
  readonly argv: readonly string[];
  /** Wraps or replaces the ways to reach hosts. */
  readonly openTransports: OpenTransports;
}

/** Runs one command line and answers with the exit code. */
export async function main(options: Partial<AppOptions> = {}): Promise<number> {
  const argv = options.argv ?? process.argv.slice(2);
  let exitCode = 0;
  let outputError: FettleError | undefined;
  for (const stream of [process.stdout, process.stderr]) {
    endQuietlyOnClosedPipe(stream, (error) => {
      if (outputError === undefined) process.stderr.write(`fettle: ${error.message}\nhint: ${error.hint ?? ''}\n`);
      outputError = error;
      // It may come after everything else is over.
      process.exitCode = exitCodes[exitNameOf(error)];
    });
  }
  const streams = {
    write: (text: string): void => void process.stdout.write(text),
    writeError: (text: string): void => void process.stderr.write(text),
  };
  const program = createProgram(version(), streams, async (spec, invocation) => {
    exitCode = await dispatch(spec, invocation, options.openTransports ?? openTransports);
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : exitCodes.usage;
  }
  return outputError === undefined ? exitCode : exitCode || exitCodes[exitNameOf(outputError)];
}

async function dispatch(spec: CommandSpec, invocation: Invocation, open: OpenTransports): Promise<number> {
  const { options } = invocation;
  // Node.js makes and drops two errors for each cipher that ssh2 makes, one a packet; their stacks cost more than the rest.
  if (options.debug !== true) Error.stackTraceLimit = 0;
  let thread = await startLedgerThread(spec);
  const takeLedgerThread = (): LedgerThread | undefined => {
    const taken = thread;
    thread = undefined;
    return taken;
  };
  const context = createContext(spec, invocation, { openTransports: open, takeLedgerThread });
  let accepted: ReadonlySet<ExitName> = new Set();
  try {
    accepted = acceptedExits(options.ok);
    const readCommand = await spec.load();
    return exitCodeOf(await readCommand(invocation, context).run(context), accepted);
  } catch (error) {
    context.console.warn(renderError(error, context.output, { debug: options.debug ?? false }));
    const name = exitNameOf(error);
    return exitCodeOf(name === 'interrupted' ? (context.interruptions.exitName() ?? name) : name, accepted);
  } finally {
    await thread?.end();
  }
}

/** A command that may name a ledger opens one: the code for it is loaded while others are read and connected to. */
async function startLedgerThread({ options }: CommandSpec): Promise<LedgerThread | undefined> {
  if (!options.includes('ledger')) return undefined;
  const { LedgerThread } = await import('./ledger/thread.ts');
  return new LedgerThread();
}

function createContext(
  spec: CommandSpec,
  invocation: Invocation,
  ports: Pick<Context, 'openTransports' | 'takeLedgerThread'>,
): Context {
  const { options } = invocation;
  const { env } = process;
  trustEnvironment(env);
  const output = processOutput(options, env);
  const console = createConsole(
    { write: (text) => output.stdout.write(text), writeError: (text) => output.stderr.write(output.asTyped(text)) },
    options.quiet ?? false,
  );
  const bootId = safely(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  return {
    version: version(),
    nodeVersion: process.versions.node,
    command: { name: spec.name, invocation },
    env,
    cwd: process.cwd(),
    get homeDir() {
      return homeDirectory(env);
    },
    descriptors,
    uid: process.getuid?.(),
    clock: { ...systemClock, sinceBoot: () => sinceBoot(bootId) },
    console,
    output,
    prompt: processPrompt(options),
    operator: processOperator(env),
    isProcessAlive,
    interruptions: processInterruptions((message) => console.warn(message)),
    newId: () => ulid(),
    randomSeed: () => randomInt(2 ** 32),
    ...ports,
    commands,
  };
}

function processOutput({ color }: Partial<Options>, env: NodeJS.ProcessEnv): Output {
  return createOutput({
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    clock: systemClock,
    onContinued: (action) => void process.on('SIGCONT', action),
    asTyped: commandsAsTyped(
      ownName({ ...location, execPath: process.execPath, cwd: process.cwd(), env }),
      commands.map(({ name }) => name),
    ),
    ...(color === undefined ? {} : { colour: color }),
  });
}

function processPrompt({ input }: Partial<Options>): Prompt {
  return createPrompt({
    get input() {
      return process.stdin;
    },
    output: process.stderr,
    isAvailable: isatty(0) && process.stderr.isTTY && input !== false,
  });
}

function processOperator(env: NodeJS.ProcessEnv): Operator {
  const userName = safely(() => userInfo().username);
  return readOperator({ env, uid: process.getuid?.(), userName, controller: hostname(), pid: process.pid, read });
}

function processInterruptions(warn: (message: string) => void): Interruptions {
  return watchInterruptions({
    clock: systemClock,
    on: (signal, handler) => process.on(signal, handler),
    warn,
    endBy,
    later: (ms, call) => void setTimeout(call, ms).unref(),
  });
}

/** Of this start of the machine, see random(4); hrtime is CLOCK_MONOTONIC on Linux, see clock_gettime(2). */
function sinceBoot(id: string | undefined): BootTime | undefined {
  return id === undefined ? undefined : { id, elapsedMs: Number(process.hrtime.bigint() / 1_000_000n) };
}

/**
 * Not `process.exit`: that waits for threads, and one may hang in open(2) of a FIFO or in a long query. A prompt has
 * changed the terminal, and a view may stand below the cursor.
 */
function endBy(signal: InterruptSignal): void {
  safely(() => process.stdin.isTTY && process.stdin.setRawMode(false));
  if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\n\u001b[J');
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Signal 0 only asks, see kill(2); a process that may not be signalled is one. */
function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * For this process and all that it starts: programs only come from directories that nobody else can put one into, and
 * temporary files only go where nobody else can replace them.
 */
function trustEnvironment(env: NodeJS.ProcessEnv): void {
  const uid = process.geteuid?.();
  if (uid === undefined) return;
  const { PATH: path, TMPDIR: temporary } = env;
  if (path !== undefined) env['PATH'] = trustedSearchPath(path, { owners: [uid], groupMayWrite: true });
  if (temporary === undefined) return;
  const isTrusted = safely(
    () => temporary.startsWith('/') && distrustOfFile(temporary, { owners: [uid] }) === undefined,
  );
  if (isTrusted !== true) delete env['TMPDIR'];
}

/** HOME, else the entry in the user database; a container may have neither for its user id. */
function homeDirectory(env: NodeJS.ProcessEnv): string {
  const found = env['HOME'] === '' ? undefined : env['HOME'];
  const home = found ?? safely(() => homedir());
  if (home?.startsWith('/') === true) return home;
  throw new FettleError(
    'config',
    `there is no home directory: HOME is not set, and uid ${process.getuid?.()} has no account`,
    {
      hint: 'set HOME to a directory that this user may write, as in: HOME=/tmp/fettle-home fettle …',
    },
  );
}

/** What Node.js itself usually has open, where the system does not list it: its event loops and the terminal. */
const usuallyOpen = 32;

/** By proc(5) on Linux, elsewhere by Node.js, which raises the soft limit to the hard one when it starts. */
function descriptors(): Descriptors | undefined {
  const soft = /^Max open files +(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  const limit = soft === undefined ? reportedLimit() : Number(soft);
  if (limit === undefined) return undefined;
  return { limit, open: safely(() => readdirSync('/dev/fd').length) ?? usuallyOpen };
}

/** A number, or `unlimited`, see "Diagnostic report" of Node.js. */
function reportedLimit(): number | undefined {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

function read(path: string): string | undefined {
  return safely(() => readFileSync(path, 'utf8'));
}

function safely<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
