import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** When a test that waits is hung. Generous: a busy machine is slow, not wrong. */
const hangLimitMs = 120_000;

/**
 * Waits for a condition.
 * @throws AssertionError naming it when it does not hold within two minutes.
 */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + hangLimitMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) assert.fail(`it never came true that ${what}`);
    await sleep(10);
  }
}
