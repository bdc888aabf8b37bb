import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { bareEnvironment } from './windows/engine.ts';

/** One powershell.exe of a simulated host. */
export interface EngineProcess {
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  /** After the last of its output; a code of eight bits, or null where a signal ended it. */
  readonly ended: Promise<EngineEnd>;
  /** Kills it with its group. */
  kill(): void;
}

interface EngineEnd {
  readonly pid: number;
  readonly code: number | null;
}

interface Running extends EngineProcess {
  readonly end: PromiseWithResolvers<EngineEnd>;
}

/** The first bytes of a stream: which process it belongs to, and its descriptor there. */
const headerLength = 16;
/** Room for the path of a host's directory where /proc shows the environment of a process. */
const markLength = 512;

/**
 * The fork server of the PowerShell engine (`test/powershell/engine/ForkServer.cs`), which starts with the first command.
 * It does not keep this process alive, and ends with it and with all that it forked.
 */
export class EngineServer {
  readonly #path: string;
  readonly #running = new Map<number, Running>();
  readonly #settling: PromiseWithResolvers<void>[] = [];
  #started: { child: ChildProcessWithoutNullStreams; listener: Server } | undefined;
  #lastId = 0;

  constructor(path: string) {
    this.#path = path;
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>>): EngineProcess {
    const id = ++this.#lastId;
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const end = Promise.withResolvers<EngineEnd>();
    const ended = Promise.all([end.promise, finished(stdout), finished(stderr)]).then(([how]) => how);
    const running: Running = { stdin, stdout, stderr, end, ended, kill: () => this.#kill(id) };
    this.#running.set(id, running);
    this.#order(`${JSON.stringify({ id, args, environment })}\n`);
    return running;
  }

  /** Resolves when the tasks that processes asked for until now have started. */
  async settled(): Promise<void> {
    if (this.#started === undefined) return;
    const settled = Promise.withResolvers<void>();
    this.#settling.push(settled);
    this.#order('settle\n');
    await settled.promise;
  }

  #kill(id: number): void {
    if (this.#running.has(id)) this.#order(`kill ${id}\n`);
  }

  #order(line: string): void {
    this.#started ??= this.#start();
    this.#started.child.stdin.write(line);
    this.#refer();
  }

  #start(): { child: ChildProcessWithoutNullStreams; listener: Server } {
    // In the abstract namespace: nothing is left of it.
    const name = `fettle-engine-${randomUUID()}`;
    const listener = createServer({ allowHalfOpen: true }, (socket) => this.#welcome(socket));
    listener.listen(`\0${name}`).unref();
    const env = { ...bareEnvironment(), FETTLE_WINDOWS_MODEL: ' '.repeat(markLength) };
    const child = spawn(this.#path, ['--fork-server', name], { detached: true, stdio: 'pipe', env });
    const problems: Buffer[] = [];
    child.stderr.on('data', (bytes: Buffer) => problems.push(bytes));
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    once(child, 'close').then(
      ([code, signal]) => this.#fail(`ended with ${code ?? signal}: ${Buffer.concat(problems).toString()}`),
      (error: unknown) => this.#fail(String(error)),
    );
    for (const part of [child, child.stdin, child.stderr]) refer(part, false);
    return { child, listener };
  }

  #hear(line: string): void {
    if (line === 'settled') {
      this.#settling.shift()?.resolve();
    } else {
      const [, id, pid, code = ''] = line.split(' ');
      const running = this.#running.get(Number(id));
      this.#running.delete(Number(id));
      running?.end.resolve({ pid: Number(pid), code: code === '' ? null : Number(code) });
      // What nobody listens to holds nothing back.
      for (const stream of [running?.stdout, running?.stderr]) if (stream?.readableFlowing === null) stream.resume();
    }
    this.#refer();
  }

  #welcome(socket: Socket): void {
    const begin = (): void => {
      const header = socket.read(headerLength) as Buffer | null;
      if (header === null) return;
      socket.off('readable', begin);
      const [id, descriptor] = header.toString('latin1').split(' ').map(Number);
      this.#attach(socket, id ?? 0, descriptor ?? 0);
    };
    socket.on('readable', begin);
    // A process that is killed resets what it did not read.
    socket.on('error', () => undefined);
  }

  #attach(socket: Socket, id: number, descriptor: number): void {
    const running = this.#running.get(id);
    if (running === undefined) throw new RangeError(`a stream of process ${id}, which nobody started`);
    if (descriptor === 0) {
      running.stdin.pipe(socket);
      socket.resume();
      socket.on('end', () => socket.destroy());
      return;
    }
    const stream = descriptor === 1 ? running.stdout : running.stderr;
    socket.pipe(stream);
    socket.on('end', () => socket.end());
    socket.on('close', () => stream.end());
  }

  #fail(how: string): void {
    const error = new Error(`the fork server of the PowerShell engine ${how}`);
    for (const { stdout, stderr, end } of this.#running.values()) {
      end.reject(error);
      for (const stream of [stdout, stderr]) stream.destroy();
    }
    for (const { reject } of this.#settling.splice(0)) reject(error);
    this.#running.clear();
    this.#started?.listener.close();
    this.#started = undefined;
  }

  /** What this process waits for keeps it alive. */
  #refer(): void {
    if (this.#started !== undefined) refer(this.#started.child.stdout, this.#running.size + this.#settling.length > 0);
  }
}

/** Pipes are sockets, which have ref and unref; their stream types do not say so. */
function refer(part: object, wanted: boolean): void {
  const name = wanted ? 'ref' : 'unref';
  const method: unknown = Reflect.get(part, name);
  if (typeof method === 'function') Reflect.apply(method, part, []);
}
