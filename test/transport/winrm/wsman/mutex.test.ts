import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Turns } from '../../../../src/transport/winrm/wsman/mutex.ts';
import { rejectsWith } from '../../../contract/session.ts';

describe('turns', () => {
  test('go to one at a time, in the order of asking', async () => {
    const turns = new Turns();
    const seen: number[] = [];
    let inside = 0;
    const work = async (number: number): Promise<void> => {
      using _turn = await turns.take(undefined, 'the work');
      inside += 1;
      assert.equal(inside, 1);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(number);
      inside -= 1;
    };
    await Promise.all([1, 2, 3, 4].map(work));
    assert.deepEqual(seen, [1, 2, 3, 4]);
  });

  test('that somebody no longer waits for go to the next', async () => {
    const turns = new Turns();
    const held = await turns.take(undefined, 'the work');
    const controller = new AbortController();
    const gone = rejectsWith(turns.take(controller.signal, 'the work'), 'cancelled', /the work was cancelled/);
    const next = turns.take(undefined, 'the work');
    // Woken and cancelled at once.
    held[Symbol.dispose]();
    controller.abort();
    await gone;
    (await next)[Symbol.dispose]();
    (await turns.take(undefined, 'the work'))[Symbol.dispose]();
  });

  test('are given back once only', async () => {
    const turns = new Turns();
    const first = await turns.take(undefined, 'the work');
    first[Symbol.dispose]();
    const second = await turns.take(undefined, 'the work');
    first[Symbol.dispose]();
    const waiting = turns.take(AbortSignal.abort(), 'the work');
    await rejectsWith(waiting, 'cancelled', /cancelled/);
    second[Symbol.dispose]();
  });
});
