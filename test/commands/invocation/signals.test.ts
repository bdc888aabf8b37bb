import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { watchInterruptions, type ChargeKind, type InterruptSignal } from '../../../src/commands/invocation/signals.ts';

function interruptions() {
  const handlers = new Map<InterruptSignal, () => void>();
  const said: string[] = [];
  const ended: InterruptSignal[] = [];
  const deadlines: (() => void)[] = [];
  let nowMs = 0;
  const clock = { now: () => nowMs, elapsedMs: () => nowMs, sleep: () => Promise.resolve() };
  const watched = watchInterruptions({
    clock,
    on: (signal, handler) => void handlers.set(signal, handler),
    warn: (message) => said.push(message),
    endBy: (signal) => ended.push(signal),
    later: (_ms, call) => deadlines.push(call),
  });
  return {
    watched,
    said,
    ended,
    deadlines,
    pass: (ms: number) => (nowMs += ms),
    send: (signal: InterruptSignal) => handlers.get(signal)?.(),
  };
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

for (const signal of signals) {
  test(`${signal} ends a command at once that has no host in hand`, () => {
    const { watched, ended, said, send } = interruptions();
    send(signal);
    assert.deepEqual(ended, [signal]);
    assert.equal(watched.stop.aborted, false);
    assert.deepEqual(said, []);
  });

  test(`${signal} ends it also after its hosts are done`, () => {
    const { watched, ended, send } = interruptions();
    watched.takeCharge('change')[Symbol.dispose]();
    send(signal);
    assert.deepEqual(ended, [signal]);
  });

  for (const kind of ['query', 'watch', 'change'] satisfies ChargeKind[]) {
    test(`${signal} leaves the end to a ${kind}, and ends it where the end does not come`, () => {
      const { watched, ended, deadlines, send } = interruptions();
      using _ = watched.takeCharge(kind);
      send(signal);
      if (kind === 'change' && signal === 'SIGINT') send(signal);
      assert.deepEqual(ended, []);
      assert.ok(watched.stop.aborted && watched.detach.aborted);
      assert.equal(watched.exitName(), signal === 'SIGTERM' ? 'terminated' : 'interrupted');
      for (const overdue of deadlines) overdue();
      assert.deepEqual(ended, [signal]);
    });

    test(`${signal} once more ends a ${kind} at once`, () => {
      const { watched, ended, send } = interruptions();
      using _ = watched.takeCharge(kind);
      send('SIGTERM');
      send(signal);
      assert.deepEqual(ended, [signal]);
    });
  }
}

describe('Ctrl-C', () => {
  test('skips hosts that have not answered a query, and promises nothing about others', () => {
    const { watched, said, send } = interruptions();
    using _ = watched.takeCharge('query');
    send('SIGINT');
    assert.match(said.join('\n'), /are skipped/);
    assert.doesNotMatch(said.join('\n'), /go on/);
  });

  test('once finishes hosts in flight while a run changes them; again within 5 s detaches', () => {
    const { watched, said, ended, pass, send } = interruptions();
    using _ = watched.takeCharge('change');
    send('SIGINT');
    assert.equal(watched.stop.aborted, true);
    assert.equal(watched.detach.aborted, false);
    assert.match(said[0] ?? '', /hosts in flight are finished/);
    pass(6_000);
    send('SIGINT');
    assert.equal(watched.detach.aborted, false);
    send('SIGINT');
    assert.equal(watched.detach.aborted, true);
    send('SIGINT');
    assert.deepEqual(ended, ['SIGINT']);
  });
});
