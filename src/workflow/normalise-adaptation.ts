import { adaptationActions } from './adaptation.ts';
import type { AdaptationSpec, Thresholds } from './adaptation.ts';
import type { Draft } from './draft.ts';
import type { MonitoringSpec } from './model.ts';
import { durationMs } from './normalise-policies.ts';
import type { CheckedDocument } from './schema/check.ts';

const defaults = {
  intervalMs: 10_000,
  maxTimeoutFactor: 2,
  eventLoopDelayMs: 100,
  memory: 0.85,
  queueDepth: 3,
} as const;

/** What is looked at for alerts, whether the run adapts or not; undefined: nothing. */
export function monitoringSpec({ document }: Draft): MonitoringSpec | undefined {
  const { monitoring } = document;
  return (
    monitoring && {
      intervalMs: durationMs(monitoring.interval) ?? defaults.intervalMs,
      thresholds: thresholdsOf(monitoring.thresholds),
    }
  );
}

/** How a run adapts; undefined: not at all. */
export function adaptationSpec(draft: Draft): AdaptationSpec | undefined {
  const { document } = draft;
  const { adaptation: source = false, monitoring = {} } = document;
  if (source === false) return undefined;
  const { actions, concurrency, max_timeout_factor: factor } = source === true ? noWishes : source;
  return {
    intervalMs: durationMs(monitoring.interval) ?? defaults.intervalMs,
    thresholds: thresholdsOf(monitoring.thresholds),
    actions: actions ?? adaptationActions,
    concurrency: boundsOf(draft, concurrency),
    maxTimeoutFactor: factor ?? defaults.maxTimeoutFactor,
  };
}

type AdaptationSource = Exclude<CheckedDocument['adaptation'], boolean | undefined>;

const noWishes: AdaptationSource = {};

function boundsOf(
  { document, faults }: Draft,
  { min = 1, max: asked }: NonNullable<AdaptationSource['concurrency']> = {},
): AdaptationSpec['concurrency'] {
  const declared = document.resources?.concurrency;
  const max = asked ?? (typeof declared === 'number' ? declared : undefined);
  if (max !== undefined && max < min)
    faults.add('TRP_WORKFLOW_UNSATISFIABLE', `adaptation.concurrency: ${min} is above ${max}`, {
      path: ['adaptation', 'concurrency', 'min'],
    });
  return { min, max };
}

type ThresholdSource = NonNullable<CheckedDocument['monitoring']>['thresholds'];

function thresholdsOf(source: ThresholdSource = {}): Thresholds {
  return {
    eventLoopDelayMs: durationMs(source.event_loop_delay) ?? defaults.eventLoopDelayMs,
    memory: shareOf(source.memory) ?? defaults.memory,
    responseMs: durationMs(source.response_time),
    queueDepth: source.queue_depth ?? defaults.queueDepth,
    efficiency: shareOf(source.efficiency),
  };
}

function shareOf(value: string | number | undefined): number | undefined {
  return typeof value === 'string' ? Number.parseFloat(value) / 100 : value;
}
