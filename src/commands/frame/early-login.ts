import type { Session } from '../../transport/session.ts';

type Open = (signal: AbortSignal | undefined) => Promise<Session>;

/**
 * Logs in to hosts while the run is still being recorded. A session is handed out, and a failure reported, only when the
 * run has begun: nothing is done on a host before. Where it cannot begin, logins under way are cancelled, sessions are
 * closed, and the caller gets the error of the record.
 */
export function loginsUntil(begun: Promise<void>): (open: Open, signal: AbortSignal | undefined) => Promise<Session> {
  const refused = new AbortController();
  let hasBegun = false;
  begun.then(
    () => (hasBegun = true),
    () => refused.abort(),
  );
  return async (open, signal) => {
    if (hasBegun) return open(signal);
    const opening = open(signal === undefined ? refused.signal : AbortSignal.any([signal, refused.signal]));
    // Its failure is reported below, after the record's own.
    opening.catch(() => undefined);
    try {
      await begun;
    } catch (error) {
      await opening.then(
        (session) => session[Symbol.asyncDispose](),
        () => undefined,
      );
      throw error;
    }
    return opening;
  };
}
