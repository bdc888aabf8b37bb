// Preloaded into fettle (`node --import`): writes what the process cost to the file that FETTLE_BENCH_COST names.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Of one process, its threads included. */
export interface Cost {
  readonly cpuSec: number;
  readonly peakRssMib: number;
  /** Of the main thread's event loop. Milliseconds. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

const file = process.env['FETTLE_BENCH_COST'];
if (isMainThread && file !== undefined) {
  const resolutionMs = 5;
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  process.on('exit', () => {
    delay.disable();
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const cost: Cost = {
      cpuSec: (userCPUTime + systemCPUTime) / 1e6,
      peakRssMib: maxRSS / 1024,
      // The histogram holds the whole interval of its timer.
      delayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - resolutionMs),
      delayMaxMs: Math.max(0, delay.max / 1e6 - resolutionMs),
    };
    writeFileSync(file, JSON.stringify(cost));
  });
}
