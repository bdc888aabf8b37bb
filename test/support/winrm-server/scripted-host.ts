// A command host for tests of the transport: `/bin/sh` stands for cmd.exe, and WQL knows one class.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { CommandHost, HostProcess } from './command-host.ts';

export interface ScriptedHostOptions {
  /** Answers a command line itself; undefined leaves it to the shell. */
  readonly answer?: (commandLine: string) => ScriptedAnswer | undefined;
  /** Rows by class name, in lower case. */
  readonly classes?: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
}

interface ScriptedAnswer {
  /** Written as they stand, one after the other. */
  readonly stdout?: readonly (string | Buffer)[];
  readonly stderr?: readonly (string | Buffer)[];
  readonly exitCode?: number;
}

/** What a process ends with on Windows when it is interrupted: STATUS_CONTROL_C_EXIT. */
const interruptedExit = 0xc000013a;

/** May be told to be off or to boot; `restart` is a whole reboot at once. */
export class ScriptedHost implements CommandHost, Disposable {
  state: 'running' | 'booting' | 'off' = 'running';
  boot = 1;
  readonly #options: ScriptedHostOptions;
  readonly #children = new Set<ChildProcess>();

  constructor(options: ScriptedHostOptions = {}) {
    this.#options = options;
  }

  start(commandLine: string): HostProcess {
    const answer = this.#options.answer?.(commandLine);
    return answer === undefined ? this.#shell(commandLine) : answered(answer);
  }

  query(wql: string): readonly Readonly<Record<string, string>>[] | undefined {
    const name = /\bfrom\s+(\w+)/i.exec(wql)?.[1]?.toLowerCase() ?? '';
    const own = name === 'win32_operatingsystem' ? [this.#operatingSystem()] : undefined;
    return this.#options.classes?.[name] ?? own;
  }

  restart(): void {
    this[Symbol.dispose]();
    this.boot += 1;
  }

  /** Processes that still run. */
  get running(): number {
    return this.#children.size;
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) killGroup(child);
  }

  #operatingSystem(): Readonly<Record<string, string>> {
    const minute = String(this.boot % 60).padStart(2, '0');
    return {
      Caption: 'Microsoft Windows Server 2022 Standard',
      BuildNumber: '20348',
      LastBootUpTime: `2030010203${minute}04.500000+060`,
    };
  }

  #shell(commandLine: string): HostProcess {
    const child = spawn('/bin/sh', ['-c', commandLine], { detached: true, stdio: 'pipe' });
    this.#children.add(child);
    // What does not read its stdin is no error.
    child.stdin.on('error', () => undefined);
    const { promise: ended, resolve } = Promise.withResolvers<number>();
    child.on('error', () => resolve(9009));
    child.on('close', (code, signal) => {
      this.#children.delete(child);
      resolve(code ?? (signal === 'SIGKILL' ? interruptedExit : 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)));
    });
    return {
      ended,
      write: (bytes, isEnd) => {
        if (child.stdin.writable) child.stdin.write(bytes);
        if (isEnd) child.stdin.end();
      },
      onOutput: (listener) => {
        child.stdout.on('data', (bytes: Buffer) => listener('stdout', bytes));
        child.stderr.on('data', (bytes: Buffer) => listener('stderr', bytes));
      },
      setFlowing: (isFlowing) => {
        for (const stream of [child.stdout, child.stderr]) {
          if (isFlowing) stream.resume();
          else stream.pause();
        }
      },
      kill: () => {
        if (this.#children.has(child)) killGroup(child);
      },
    };
  }
}

function answered({ stdout = [], stderr = [], exitCode = 0 }: ScriptedAnswer): HostProcess {
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  return {
    ended,
    write: () => undefined,
    onOutput: (listener) => {
      setImmediate(() => {
        for (const part of stdout) listener('stdout', Buffer.from(part));
        for (const part of stderr) listener('stderr', Buffer.from(part));
        resolve(exitCode);
      });
    },
    kill: () => resolve(interruptedExit),
  };
}

/** The group may be there though its leader has ended. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
