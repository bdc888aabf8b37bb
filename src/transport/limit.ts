import { FettleError } from '../domain/error.ts';

/** Why `signal` was aborted, as an error of fettle; `what` names the operation. */
export function cancelled(signal: AbortSignal, what: string): FettleError {
  const reason: unknown = signal.reason;
  return reason instanceof FettleError
    ? reason
    : new FettleError('cancelled', `${what} was cancelled`, { cause: reason });
}

/** Calls `onAbort` once, immediately if the signal is already aborted; disposing removes the listener. */
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
