import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Slots } from '../../src/base/slots.ts';

describe('slots', () => {
  test('no more than there are go at once, the others in the order of coming', async () => {
    const slots = new Slots(2);
    const begun: number[] = [];
    const open = new Map<number, Disposable>();
    const all = [1, 2, 3, 4].map(async (number) => {
      open.set(number, await slots.take());
      begun.push(number);
    });
    await nextTurn();
    assert.deepEqual(begun, [1, 2]);
    open.get(2)?.[Symbol.dispose]();
    open.get(2)?.[Symbol.dispose]();
    await nextTurn();
    assert.deepEqual(begun, [1, 2, 3]);
    open.get(1)?.[Symbol.dispose]();
    await Promise.all(all);
    assert.deepEqual(begun, [1, 2, 3, 4]);
  });

  test('who gives up while waiting holds nobody up', async () => {
    const slots = new Slots(1);
    const first = await slots.take();
    const impatient = new AbortController();
    const second = slots.take(impatient.signal);
    const third = slots.take();
    impatient.abort(new Error('enough'));
    await assert.rejects(second, { message: 'enough' });
    first[Symbol.dispose]();
    (await third)[Symbol.dispose]();
    await assert.rejects(slots.take(impatient.signal), { message: 'enough' });
    (await slots.take())[Symbol.dispose]();
  });
});
