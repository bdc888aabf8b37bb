// The only composition root: what the process gives (streams, environment, clock, signals) becomes a Context.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { CommanderError } from 'commander';
import { ulid } from 'ulid';
import { systemClock } from './base/clock.ts';
import type { CommandSpec, Invocation } from './commands/command.ts';
import { createConsole } from './commands/console.ts';
import type { Context } from './commands/context.ts';
import { exitCodeOf, exitNameOf } from './commands/exit.ts';
import { watchInterruptions } from './commands/interruptions.ts';
import type { Options } from './commands/options.ts';
import { commands } from './commands/registry.ts';
import { createProgram } from './commands/program.ts';
import { createPrompt } from './commands/prompt.ts';
import { FettleError } from './domain/error.ts';
import type { Operator } from './domain/event.ts';
import { exitCodes } from './domain/exit.ts';
import type { OpenTransports } from './commands/context.ts';
import { renderError } from './report/error-text.ts';
import { createOutput, endQuietlyOnClosedPipe } from './report/output.ts';
import { openTransports } from './transport/registry.ts';

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
    exitCode = await dispatch(spec, invocation, { argv, openTransports: options.openTransports ?? openTransports });
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : exitCodes.usage;
  }
  return outputError === undefined ? exitCode : exitCode || exitCodeOf(exitNameOf(outputError), undefined);
}

async function dispatch(spec: CommandSpec, invocation: Invocation, app: AppOptions): Promise<number> {
  const { options } = invocation;
  // Node.js makes and drops two errors for each cipher that ssh2 makes, one a packet; their stacks cost more than the rest.
  if (options.debug !== true) Error.stackTraceLimit = 0;
  const context = createContext(options, app);
  try {
    checkTogether(options);
    const command = await spec.load();
    return exitCodeOf(context.interruptions.exitName() ?? (await command.run(invocation, context)), options.ok);
  } catch (error) {
    context.console.warn(renderError(error, context.output, { debug: options.debug ?? false }));
    const name = exitNameOf(error);
    return exitCodeOf(name === 'interrupted' ? (context.interruptions.exitName() ?? name) : name, options.ok);
  }
}

function createContext(options: Partial<Options>, app: AppOptions): Context {
  const { env } = process;
  const output = createOutput({
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    clock: systemClock,
    ...(options.color === undefined ? {} : { colour: options.color }),
  });
  const console = createConsole(
    { write: (text) => output.stdout.write(text), writeError: (text) => output.stderr.write(text) },
    options.quiet ?? false,
  );
  return {
    version: version(),
    nodeVersion: process.versions.node,
    argv: app.argv,
    env,
    cwd: process.cwd(),
    homeDir: env['HOME'] ?? homedir(),
    uid: process.getuid?.(),
    clock: systemClock,
    console,
    output,
    prompt: createPrompt({
      input: process.stdin,
      output: process.stderr,
      isAvailable: process.stdin.isTTY === true && process.stderr.isTTY === true && options.input !== false,
    }),
    operator: operator(env),
    isProcessAlive,
    interruptions: watchInterruptions({
      clock: systemClock,
      on: (signal, handler) => process.on(signal, handler),
      say: (message) => console.warn(message),
      exitNow: (code) => process.exit(code),
    }),
    newId: () => ulid(),
    randomSeed: () => randomInt(2 ** 32),
    openTransports: app.openTransports,
    commands,
  };
}

/** The login user is seen through sudo and su: the audit session keeps it. */
function operator(env: NodeJS.ProcessEnv): Operator {
  const user = safely(() => userInfo().username) ?? env['USER'] ?? `uid ${process.getuid?.() ?? '?'}`;
  const loginUser = env['SUDO_USER'] ?? safely(() => loginUid());
  return {
    user,
    controller: hostname(),
    pid: process.pid,
    ...(loginUser === undefined ? {} : { loginUser }),
  };
}

/** Signal 0 only asks, see kill(2); a process that may not be signalled is one. */
function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** /proc/self/loginuid, see pam_loginuid(8); 4294967295 means that nobody logged in. */
function loginUid(): string | undefined {
  const uid = readFileSync('/proc/self/loginuid', 'utf8').trim();
  return uid === '4294967295' ? undefined : `uid ${uid}`;
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function checkTogether(options: Partial<Options>): void {
  if (options.json !== undefined && options.jsonl === true) {
    throw new FettleError('usage', '--json and --jsonl exclude each other', { hint: 'choose one of them' });
  }
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
