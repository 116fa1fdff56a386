import { adaptationActions } from './adaptation.ts';
import type { AdaptationSpec, Thresholds } from './adaptation.ts';
import type { Draft } from './draft.ts';
import { durationMs } from './normalise-policies.ts';
import type { CheckedDocument } from './schema/check.ts';

const defaults = {
  intervalMs: 10_000,
  maxTimeoutFactor: 2,
  eventLoopDelayMs: 100,
  memory: 0.85,
  queueDepth: 3,
} as const;

/** How a run adapts; undefined: not at all. A block that nothing would look at is a fault. */
export function adaptationSpec({ document, faults }: Draft): AdaptationSpec | undefined {
  const { adaptation: source = false, monitoring, resources } = document;
  if (source === false) {
    if (monitoring)
      faults.add('TRP_WORKFLOW_INVALID', 'monitoring: nothing would look at it', {
        path: ['monitoring'],
        point: 'key',
        hint: 'Add `adaptation: true`.',
      });
    return undefined;
  }
  const { actions, concurrency = {}, max_timeout_factor: factor } = source === true ? {} : source;
  const { min = 1 } = concurrency;
  const declared = resources?.concurrency;
  const max = concurrency.max ?? (typeof declared === 'number' ? declared : undefined);
  if (max !== undefined && max < min)
    faults.add('TRP_WORKFLOW_UNSATISFIABLE', `adaptation.concurrency: ${min} is above ${max}`, {
      path: ['adaptation', 'concurrency', 'min'],
    });
  return {
    intervalMs: durationMs(monitoring?.interval) ?? defaults.intervalMs,
    thresholds: thresholdsOf(monitoring?.thresholds),
    actions: actions ?? adaptationActions,
    concurrency: { min, max },
    maxTimeoutFactor: factor ?? defaults.maxTimeoutFactor,
  };
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
