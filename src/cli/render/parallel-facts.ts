import type { AdaptationReport, RunMetrics } from '../../runtime/metrics/run-metrics.ts';
import { elapsed } from './shapes.ts';
import { oneLine } from './width.ts';

/** What running in parallel brought, what was waited for and what bounded the run, in two or three lines. */
export function parallelFacts(metrics: RunMetrics): readonly string[] {
  const { wall_ms, sequential_ms, speedup, peak_tasks } = metrics;
  if (peak_tasks <= 1) return [`took ${elapsed(wall_ms)}`, ...boundedBy(metrics)];
  return [
    `took ${elapsed(wall_ms)}; one after the other the tasks would take up to ${elapsed(sequential_ms)}`,
    `${speedup.toFixed(1)} tasks at one time on average, at most ${peak_tasks}`,
    ...boundedBy(metrics),
  ];
}

/** Waits and the bottleneck share a line; what is nothing is left out. */
function boundedBy(metrics: RunMetrics): readonly string[] {
  const waits = [
    ['for a place', metrics.queue_wait_ms - metrics.lock_wait_ms],
    ['for locks', metrics.lock_wait_ms],
    ['at barriers', metrics.barrier_wait_ms],
  ] as const;
  const told = waits.filter(([, ms]) => ms > 0).map(([what, ms]) => `${elapsed(ms)} ${what}`);
  const waited = told.length > 0 ? [`tasks waited ${told.join(', ')}`] : [];
  const bound = boundText(metrics);
  return bound === '' ? waited : [...waited, bound];
}

function boundText({ bottleneck: { kind, id, share }, peak_tasks }: RunMetrics): string {
  if (kind === 'none' || peak_tasks <= 1) return '';
  const what = { task: 'task', agent: 'agent', resource: 'waits for', barrier: 'the barrier of' };
  const words = kind === 'start_time' ? 'the start time of' : what[kind];
  return `bounded by ${words} ${oneLine(id)} (${Math.round(share * 100)}% of the time)`;
}

/** What the run has changed about itself, in a line; nothing where it has changed nothing. */
export function adaptationFacts(adaptation: AdaptationReport): readonly string[] {
  const { changes, concurrency, group_sizes: sizes, timeout_factor: factor, paces } = adaptation;
  if (changes === 0) return concurrency === null ? [] : [`chose ${concurrency} tasks at one time`];
  const settings = [
    ...(concurrency === null ? [] : [`${concurrency} tasks at one time`]),
    ...Object.entries(sizes).map(([group, size]) => `${size} members of ${oneLine(group)}`),
    ...(factor === 1 ? [] : [`timeouts ${factor.toFixed(2)} times as long`]),
    ...(Object.keys(paces).length === 0 ? [] : ['what waits in another order']),
  ];
  return [`adapted ${changes === 1 ? 'once' : `${changes} times`}: ${settings.join(', ')}`];
}
