import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';

export interface ProxyStream {
  readonly stream: Duplex;
  /** The last line of what the command wrote to its stderr; waits a little for a command that is ending. */
  readonly complaint: () => Promise<string>;
}

const lastWordsMs = 500;

/** ssh_config(5) ProxyCommand: run by the shell, its input and output are the connection. */
export function openProxy(command: string, env: Readonly<Record<string, string | undefined>>): ProxyStream {
  // A process group of its own: Ctrl-C in the terminal is for fettle.
  const child = spawn('sh', ['-c', `exec ${command}`], { env: { ...env }, detached: true, stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-400);
  });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on('error', (error) => stream.destroy(error));
  stream.on('error', () => undefined);
  // 'close' on a child comes when its outputs have ended as well, which what it left behind may prevent.
  const ended = once(child, 'close').catch(() => undefined);
  const complaint = async (): Promise<string> => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, lastWordsMs);
    await Promise.race([ended, over]);
    clearTimeout(timer);
    child.stderr.destroy();
    return said.trim().split('\n').at(-1) ?? '';
  };
  stream.on('close', () => {
    child.kill();
    void complaint();
  });
  return { stream, complaint };
}
