import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { FettleError } from '../../domain/error.ts';
import type { ShortageLimit } from '../shortage.ts';
import { startShell } from '../spawn.ts';

export interface ProxyStream {
  readonly stream: Duplex;
  /** The last line of what the command wrote to its stderr; waits a little for a command that is ending. */
  readonly complaint: () => Promise<string>;
}

const lastWordsMs = 500;

/** ssh_config(5) ProxyCommand: run by the shell, its input and output are the connection. */
export async function openProxy(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  limit: ShortageLimit,
): Promise<ProxyStream> {
  const child = await startShell(`exec ${command}`, { env: { ...env } }, limit).catch((cause: unknown) => {
    if (cause instanceof FettleError) throw cause;
    const output = cause instanceof Error ? cause.message : String(cause);
    throw new FettleError('connect', `no shell can be started for the proxy command of ${limit.what}: ${output}`, {
      cause,
    });
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = `${output}${chunk.toString('utf8')}`.slice(-400);
  });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on('error', (error) => stream.destroy(error));
  stream.on('error', () => undefined);
  // 'close' on a child is emitted only when its outputs have ended too, which a background process may prevent.
  const ended = once(child, 'close').catch(() => undefined);
  const complaint = async (): Promise<string> => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, lastWordsMs);
    await Promise.race([ended, over]);
    clearTimeout(timer);
    child.stderr.destroy();
    return output.trim().split('\n').at(-1) ?? '';
  };
  stream.on('close', () => {
    child.kill();
    void complaint();
  });
  return { stream, complaint };
}
