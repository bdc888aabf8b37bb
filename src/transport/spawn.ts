import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { throughShortages, type ShortageLimit } from './shortage.ts';

export interface ProcessOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/**
 * `sh -c command` in a process group of its own (Ctrl-C in the terminal is for fettle), its streams open. Waits while
 * this machine runs short of descriptors or processes; rejects with the system's error where it cannot be started.
 */
export function startShell(
  command: string,
  options: ProcessOptions,
  limit: ShortageLimit,
): Promise<ChildProcessWithoutNullStreams> {
  return throughShortages(async () => {
    const child = spawn('sh', ['-c', command], { ...options, detached: true, stdio: 'pipe' });
    // Without descriptors there are no streams at all, despite the type; the error is emitted in the next turn.
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      throw error;
    }
    return child;
  }, limit);
}
