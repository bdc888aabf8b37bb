import type { Readable } from 'node:stream';

/**
 * Calls `onSilent` once when no byte came for `idleMs`. The caller makes sure that a living peer has something to
 * answer (keepalive). A controller that was itself suspended or busy first reads what has arrived meanwhile.
 */
export function watchSilence(stream: Readable, idleMs: number, onSilent: () => void): Disposable {
  let received = 0;
  const timer = setTimeout(() => {
    const before = received;
    setImmediate(() => {
      if (received === before) onSilent();
    });
  }, idleMs);
  const onData = (): void => {
    received += 1;
    timer.refresh();
  };
  stream.on('data', onData);
  return {
    [Symbol.dispose]: () => {
      received += 1;
      stream.off('data', onData);
      clearTimeout(timer);
    },
  };
}
