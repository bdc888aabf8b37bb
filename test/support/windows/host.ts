import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FSWatcher, existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngineProcess, EngineServer } from '../engine-server.ts';
import { buildEngine } from './engine.ts';
import { boot, setServicing, showLogonUi } from './boot.ts';
import { parseCommandLine } from './command-line.ts';
import { windowsModel } from './defaults.ts';
import { furnish, hostEnvironment, readModel, writeModel } from './disk.ts';
import type { WindowsModel } from './model.ts';
import { kill, processesOf } from './processes.ts';
import { answerWql } from './wql.ts';
import type { CommandHost, HostProcess } from '../winrm-server/command-host.ts';

export interface WindowsHostOptions {
  /** Differences from `windowsModel`. */
  model?: Partial<WindowsModel>;
}

/** For all hosts of this process together. */
let engines: EngineServer | undefined;

/** A simulated Windows host: a model in a directory of its own, and engine processes that work on it. */
export function createWindowsHost(options: WindowsHostOptions = {}): WindowsHost {
  const engine = buildEngine();
  engines ??= new EngineServer(engine);
  const directory = mkdtempSync(join(tmpdir(), 'fettle-windows-'));
  furnish(directory, engine);
  const model = windowsModel(Date.now(), options.model);
  writeModel(directory, model);
  return new WindowsHost(directory, engines);
}

/** Implements what the WinRM server asks of a host. Dispose of it: it owns processes and a directory. */
export class WindowsHost implements CommandHost, AsyncDisposable {
  /** Holds model.json, and the disk of the host under `c/`. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly #engines: EngineServer;
  readonly #children = new Set<EngineProcess>();
  readonly #watcher: FSWatcher;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #listeners = new Set<() => void>();
  readonly #changes = new Set<Promise<void>>();
  #state: CommandHost['state'] = 'running';
  #shutdownTimer: NodeJS.Timeout | undefined;
  #goingDown: Promise<void> | undefined;
  #isDisposed = false;

  constructor(directory: string, engines: EngineServer) {
    this.directory = directory;
    this.#engines = engines;
    this.environment = hostEnvironment(directory, this.model().os.computerName);
    this.#watcher = watch(directory, (_event, name) => {
      if (name === 'model.json') this.#look();
    });
  }

  get state(): CommandHost['state'] {
    return this.#state;
  }

  /** The model as it stands; a copy. */
  model(): WindowsModel {
    return readModel(this.directory);
  }

  /** Changes the model under the lock that the host's own processes take. */
  async change(edit: (model: WindowsModel) => void): Promise<void> {
    const change = this.#change(edit);
    this.#changes.add(change);
    await change.finally(() => this.#changes.delete(change));
  }

  start(commandLine: string): HostProcess {
    if (this.state !== 'running') throw new Error(`the host is ${this.state}`);
    const parsed = parseCommandLine(commandLine, this.environment);
    if (parsed.kind === 'text') return writtenOnly(parsed);
    return this.#run(parsed.args, this.environment);
  }

  /** powershell.exe with these words, as a task of SYSTEM is. */
  startAsSystem(args: readonly string[]): HostProcess {
    return this.#run(args, { ...this.environment, FETTLE_WINDOWS_TASK: 'test' });
  }

  query(wql: string): readonly Readonly<Record<string, string>>[] | undefined {
    return answerWql(wql, this.model());
  }

  /** Resolves when the host is in `state`. */
  async reaches(state: CommandHost['state']): Promise<void> {
    while (this.state !== state) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  /** Restarts as after a loss of power: processes die now, nothing is asked. */
  async reboot(): Promise<void> {
    await this.powerOff();
    await this.powerOn();
  }

  /** Off until `powerOn`. */
  async powerOff(): Promise<void> {
    this.#setState('off');
    this.#clearTimers();
    await this.#killAll();
  }

  /** Boots: 503 for as long as the model says, then running. */
  async powerOn(): Promise<void> {
    const { bootingMs, logonUiMs, servicingMs } = this.model().reboot;
    this.#setState('booting');
    await this.change((model) => boot(model, Date.now()));
    await this.#pause(bootingMs);
    if (this.#isDisposed) return;
    if (logonUiMs === 0) await this.change(showLogonUi);
    else this.#later(logonUiMs, () => this.change(showLogonUi));
    if (servicingMs > 0) this.#later(servicingMs, () => this.change((model) => setServicing(model, 0)));
    this.#setState('running');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#watcher.close();
    this.#clearTimers();
    await this.#killAll();
    await Promise.allSettled(this.#changes);
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #change(edit: (model: WindowsModel) => void): Promise<void> {
    const lock = spawn('flock', ['-x', join(this.directory, 'model.lock'), 'sh', '-c', 'echo; cat'], { stdio: 'pipe' });
    await once(lock.stdout, 'data');
    try {
      const model = this.model();
      edit(model);
      writeModel(this.directory, model);
    } finally {
      lock.stdin.end();
      await once(lock, 'close');
    }
  }

  #run(args: readonly string[], environment: Readonly<Record<string, string>>): HostProcess {
    const child = this.#engines.start(args, environment);
    this.#children.add(child);
    const ended = child.ended.then(({ pid, code }) => {
      this.#children.delete(child);
      // STATUS_CONTROL_C_EXIT for one that was ended from outside.
      return code === null ? 0xc000_013a : this.#exitCode(pid, code);
    });
    return {
      write: (bytes, isEnd) => {
        if (bytes.byteLength > 0) child.stdin.write(bytes);
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
      ended,
      kill: () => child.kill(),
    };
  }

  /** A code of more than eight bits lies in a file that the process left. */
  #exitCode(pid: number, code: number): number {
    const path = join(this.directory, 'exits', String(pid));
    if (!existsSync(path)) return code;
    const left = Number(readFileSync(path, 'utf8'));
    rmSync(path);
    return left;
  }

  /** Acts on what shutdown.exe left in the model. */
  #look(): void {
    if (this.#isDisposed || this.state !== 'running' || this.#goingDown !== undefined) return;
    const { shutdown } = this.model();
    clearTimeout(this.#shutdownTimer);
    if (shutdown === undefined) return;
    const wait = Math.max(0, shutdown.at - Date.now());
    this.#shutdownTimer = setTimeout(() => {
      this.#goingDown = this.#goDown(shutdown.isReboot).finally(() => (this.#goingDown = undefined));
    }, wait);
  }

  async #goDown(isReboot: boolean): Promise<void> {
    const { shutdownMs, offMs } = this.model().reboot;
    await this.change((model) => {
      if (model.shutdown !== undefined) model.shutdown.isInProgress = true;
    });
    await this.#pause(shutdownMs);
    await this.powerOff();
    if (!isReboot) return;
    await this.#pause(offMs);
    if (!this.#isDisposed) await this.powerOn();
  }

  async #killAll(): Promise<void> {
    const children = [...this.#children];
    for (const child of children) child.kill();
    await Promise.allSettled(children.map(({ ended }) => ended));
    // What died may have left children, and may have asked for a task.
    for (;;) {
      await this.#engines.settled();
      const left = processesOf(this.directory);
      if (left.length === 0) return;
      for (const pid of left) kill(pid);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #setState(state: CommandHost['state']): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#later(milliseconds, resolve));
  }

  #later(milliseconds: number, act: () => unknown): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, milliseconds);
    this.#timers.add(timer);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    clearTimeout(this.#shutdownTimer);
  }
}

/** What cmd.exe answers itself. */
function writtenOnly(answer: { stdout: string; stderr: string; code: number }): HostProcess {
  return {
    write: () => undefined,
    onOutput: (listener) => {
      if (answer.stdout !== '') setImmediate(listener, 'stdout', Buffer.from(answer.stdout));
      if (answer.stderr !== '') setImmediate(listener, 'stderr', Buffer.from(answer.stderr));
    },
    ended: new Promise((resolve) => setImmediate(() => setImmediate(resolve, answer.code))),
    kill: () => undefined,
  };
}
