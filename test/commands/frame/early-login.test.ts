import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { loginsUntil } from '../../../src/commands/frame/early-login.ts';
import { FettleError } from '../../../src/domain/error.ts';
import type { Session } from '../../../src/transport/session.ts';

/** A host whose login ends when the test says so, and which counts the sessions that are open. */
class Door {
  readonly login: PromiseWithResolvers<Session> = Promise.withResolvers<Session>();
  signal: AbortSignal | undefined;
  open = 0;

  readonly knock = (signal: AbortSignal | undefined): Promise<Session> => {
    this.signal = signal;
    signal?.addEventListener('abort', () => this.login.reject(new FettleError('cancelled', 'the login was cancelled')));
    return this.login.promise;
  };

  letIn(): Session {
    this.open += 1;
    const session = { [Symbol.asyncDispose]: async () => void (this.open -= 1) } as unknown as Session;
    this.login.resolve(session);
    return session;
  }
}

describe('logins before a run has begun', () => {
  test('go on meanwhile, and the session is handed out when it has', async () => {
    const begun = Promise.withResolvers<void>();
    const door = new Door();
    let handedOut: Session | undefined;
    const opening = loginsUntil(begun.promise)(door.knock, undefined).then((session) => (handedOut = session));
    const session = door.letIn();
    await turn();
    assert.equal(handedOut, undefined);
    begun.resolve();
    assert.equal(await opening, session);
  });

  test('report their failure when it has, not before', async () => {
    const begun = Promise.withResolvers<void>();
    const door = new Door();
    const failures: unknown[] = [];
    const opening = loginsUntil(begun.promise)(door.knock, undefined).catch((error: unknown) => failures.push(error));
    door.login.reject(new FettleError('auth', 'the login was refused'));
    await turn();
    assert.deepEqual(failures, []);
    begun.resolve();
    await opening;
    assert.match(String(failures), /the login was refused/);
  });

  for (const [when, isLoggedIn] of [
    ['is logged in to already', true],
    ['is still being logged in to', false],
  ] as const) {
    test(`end with the error of the record where it cannot begin, and leave no session on a host that ${when}`, async () => {
      const begun = Promise.withResolvers<void>();
      const door = new Door();
      const opening = loginsUntil(begun.promise)(door.knock, new AbortController().signal);
      if (isLoggedIn) door.letIn();
      begun.reject(new FettleError('ledger', 'the ledger is damaged'));
      await assert.rejects(opening, /the ledger is damaged/);
      assert.deepEqual([door.open, door.signal?.aborted], [0, true]);
    });
  }

  test('are cancelled by the signal of the run as well', async () => {
    const begun = Promise.withResolvers<void>();
    const stop = new AbortController();
    const door = new Door();
    const opening = loginsUntil(begun.promise)(door.knock, stop.signal);
    stop.abort();
    begun.resolve();
    await assert.rejects(opening, /the login was cancelled/);
  });
});
