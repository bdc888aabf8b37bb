// Preloaded into fettle (`node --import`): writes what the process cost to the file that FETTLE_BENCH_COST names.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Of one process, its threads included. */
export interface Cost {
  readonly cpuSec: number;
  readonly peakRssMib: number;
  /** Of the main thread's event loop, from the first connection on: before it there is nothing that could wait. Milliseconds. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** The same until the first connection: programs are loaded, the inventory is read. */
  readonly startDelayMaxMs: number;
}

const file = process.env['FETTLE_BENCH_COST'];
if (isMainThread && file !== undefined) {
  const resolutionMs = 5;
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  // The histogram holds the whole interval of its timer.
  const beyondTimer = (ns: number): number => Math.max(0, ns / 1e6 - resolutionMs);
  let startDelayMaxMs = 0;
  const onConnection = (): void => {
    unsubscribe('net.client.socket', onConnection);
    startDelayMaxMs = beyondTimer(delay.max);
    delay.reset();
  };
  subscribe('net.client.socket', onConnection);
  delay.enable();
  process.on('exit', () => {
    delay.disable();
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const cost: Cost = {
      cpuSec: (userCPUTime + systemCPUTime) / 1e6,
      peakRssMib: maxRSS / 1024,
      delayP99Ms: beyondTimer(delay.percentile(99)),
      delayMaxMs: beyondTimer(delay.max),
      startDelayMaxMs,
    };
    writeFileSync(file, JSON.stringify(cost));
  });
}
