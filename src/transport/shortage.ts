// Shortages of this machine itself: no host is to blame, and they may pass in a moment.
import { setTimeout as sleep } from 'node:timers/promises';
import { FettleError, isOurShortage } from '../domain/error.ts';
import { cancelled } from './limit.ts';

/** Error codes of connect(2), socket(2), fork(2) and getaddrinfo(3) that are about the caller's own machine. */
const shortages: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  EMFILE: ['this process has no file descriptors left', 'raise the limit (ulimit -n), or lower --concurrency'],
  ENFILE: ['this machine has no file descriptors left', 'raise fs.file-max here, or lower --concurrency'],
  ENOMEM: ['this machine has no memory left', 'lower --concurrency'],
  ENOBUFS: ['this machine has no network buffers left', 'lower --concurrency'],
  EAGAIN: ['this machine cannot start another process', 'raise the limit (ulimit -u), or lower --concurrency'],
  EADDRNOTAVAIL: ['this machine has no free local address or port', 'see ip_local_port_range, or lower --concurrency'],
  EAI_AGAIN: ['the name server of this machine does not answer', 'check /etc/resolv.conf here'],
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The code of a shortage that is the error, or its cause at any depth; undefined once it was waited for. */
function shortageOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || (error instanceof FettleError && isOurShortage(error))) return undefined;
  const code = codeOf(error);
  return Object.hasOwn(shortages, code) ? code : shortageOf(error.cause);
}

export function isShortage(error: unknown): boolean {
  return shortageOf(error) !== undefined;
}

const firstPauseMs = 50;
const longestPauseMs = 1_000;

export interface ShortageLimit {
  /** How long to wait for enough. Milliseconds. */
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** What it is done for: `web01 port 22`. */
  readonly what: string;
}

/**
 * Retries `action` with growing pauses while this machine is short of a resource, since other connections may end
 * meanwhile. Throws `connect` with the detail `ours` if the shortage lasts; rethrows every other error unchanged.
 */
export async function throughShortages<T>(action: () => Promise<T>, limit: ShortageLimit): Promise<T> {
  const untilMs = performance.now() + limit.ms;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await action();
    } catch (error) {
      const code = shortageOf(error);
      if (code === undefined) throw error;
      // The resolver has already retried by itself, resolv.conf(5).
      if (code === 'EAI_AGAIN') throw ourShortage(code, error, limit.what);
      if (limit.signal?.aborted) throw cancelled(limit.signal, `the connection to ${limit.what}`);
      if (performance.now() + pauseMs > untilMs) throw ourShortage(code, error, limit.what);
    }
    await sleep(pauseMs, undefined, limit.signal === undefined ? {} : { signal: limit.signal }).catch(() => undefined);
  }
}

function ourShortage(code: string, cause: unknown, what: string): FettleError {
  const [meaning, hint] = shortages[code] ?? ['this machine is short of a resource', 'lower --concurrency'];
  return new FettleError('connect', `${meaning} (${code}): ${what} was skipped`, {
    hint,
    details: { code, ours: true },
    cause,
  });
}
