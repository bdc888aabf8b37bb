import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

export interface ProxyStream {
  readonly stream: Duplex;
  /** The end of what the command wrote to its stderr. */
  readonly complaint: () => string;
}

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
  stream.on('close', () => {
    child.kill();
    child.stderr.destroy();
  });
  return { stream, complaint: () => said.trim().split('\n').at(-1) ?? '' };
}
