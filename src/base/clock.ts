/** Time as it is handed to everything that needs it; tests hand in their own. */
export interface Clock {
  /** Wall time, milliseconds since the Unix epoch, UTC. */
  now(): number;
  /** A monotonic reading in milliseconds; only differences mean anything. */
  elapsedMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Since the machine started, the same for all its processes; undefined where the system does not report it. */
  sinceBoot?(): BootTime | undefined;
}

/** A reading of the clock that starts with the machine and is never set; it stands while the machine is suspended. */
export interface BootTime {
  /** Of this start of the machine. */
  readonly id: string;
  readonly elapsedMs: number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};
