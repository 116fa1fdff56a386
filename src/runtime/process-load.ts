import { availableParallelism, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IntervalHistogram } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ProcessLoad } from '../policies/parallelism.ts';

/** How often the event loop is looked at, milliseconds; the histogram counts it in. */
const resolutionMs = 20;

/** What a simulated process has: time does not pass by itself, so nothing is ever late. */
export const steadyLoad: ProcessLoad = {
  cores: 4,
  eventLoopDelayMs: 0,
  memory: 0,
  freeBytes: Infinity,
};

/**
 * Measures this process. The event loop is watched from the first look on; each look tells the delay that 99
 * of 100 measurements since the look before did not exceed.
 */
export function processLoad(): () => ProcessLoad {
  let histogram: IntervalHistogram | undefined;
  return () => {
    const delayNs = histogram && histogram.count > 0 ? histogram.percentile(99) : 0;
    if (histogram) histogram.reset();
    else {
      histogram = monitorEventLoopDelay({ resolution: resolutionMs });
      histogram.enable();
    }
    return {
      cores: availableParallelism(),
      eventLoopDelayMs: Math.max(0, delayNs / 1e6 - resolutionMs),
      ...memoryLoad(),
    };
  };
}

/** The fuller of the two counts: the heap beside its limit, and the process beside what it is allowed. */
function memoryLoad(): Pick<ProcessLoad, 'memory' | 'freeBytes'> {
  const { rss, heapUsed } = process.memoryUsage();
  const { heap_size_limit: heapLimit } = getHeapStatistics();
  const constrained = process.constrainedMemory();
  const total = totalmem();
  const allowed = constrained > 0 && constrained < total ? constrained : total;
  return {
    memory: Math.max(rss / allowed, heapUsed / heapLimit),
    freeBytes: Math.max(0, Math.min(process.availableMemory?.() ?? allowed - rss, allowed - rss)),
  };
}
