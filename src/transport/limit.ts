import { FettleError } from '../domain/error.ts';

/** Why `signal` was aborted, in our words; `what` names what was going on. */
export function cancelled(signal: AbortSignal, what: string): FettleError {
  const reason: unknown = signal.reason;
  return reason instanceof FettleError
    ? reason
    : new FettleError('cancelled', `${what} was cancelled`, { cause: reason });
}

/** Calls `onAbort` once, at once when the signal is aborted already; disposing takes the listener away. */
export function whenAborted(signal: AbortSignal | undefined, onAbort: (signal: AbortSignal) => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]: () => undefined };
  const listener = (): void => onAbort(signal);
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', listener) };
}

/** `work`, or the cancellation, whichever comes first; `work` itself goes on. */
export async function orCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  using _abort = whenAborted(signal, (aborted) => reject(cancelled(aborted, what)));
  return await Promise.race([work, promise]);
}
