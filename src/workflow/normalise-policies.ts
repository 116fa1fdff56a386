import { parseDuration, parseDurationRange } from '../core/duration.ts';
import { asList } from './one-or-many.ts';
import type { GroupSource, TaskSource, TierSource } from './draft.ts';
import type { AggregateSpec, BarrierSpec, Estimate, MinSuccess, RetrySpec } from './model.ts';

const defaultRetry: RetrySpec = {
  maxAttempts: 3,
  backoff: 'exponential',
  initialMs: 500,
  maxMs: 60_000,
  jitter: 0.5,
  budgetMs: undefined,
};

const defaultExtension = { byMs: 300_000, max: 1 };

/** Units of the named levels of demand. */
const levelUnits = { low: 15, medium: 30, high: 45, very_high: 60 };

/** Milliseconds of a duration that the schema has let through. */
export function durationMs(value: string | number | undefined): number | undefined {
  return value === undefined ? undefined : parseDuration(value);
}

/** The estimate of a duration or a range. */
export function estimateSpec(value: string | number | undefined): Estimate | undefined {
  return value === undefined ? undefined : parseDurationRange(value);
}

/** Units of a number or a level. */
export function unitsOf(value: number | keyof typeof levelUnits): number {
  return typeof value === 'number' ? value : levelUnits[value];
}

/** Retry settings: each field from the task, else from the document's defaults, else Troupe's. */
export function retrySpec(...sources: readonly TaskSource['retry'][]): RetrySpec {
  return sources.reduceRight<RetrySpec>((below, source) => {
    if (source === undefined) return below;
    if (typeof source === 'number') return { ...below, maxAttempts: source };
    return {
      maxAttempts: source.max_attempts ?? below.maxAttempts,
      backoff: source.backoff ?? below.backoff,
      initialMs: durationMs(source.initial) ?? below.initialMs,
      maxMs: durationMs(source.max) ?? below.maxMs,
      jitter: source.jitter ?? below.jitter,
      budgetMs: durationMs(source.budget) ?? below.budgetMs,
      ...classesOf(source.on ?? below.on),
      ...quarantineOf(source.quarantine_after ?? below.quarantineAfter),
    };
  }, defaultRetry);
}

function classesOf(on: RetrySpec['on']): Pick<RetrySpec, 'on'> {
  return on ? { on } : {};
}

function quarantineOf(after: number | undefined): Pick<RetrySpec, 'quarantineAfter'> {
  return after === undefined ? {} : { quarantineAfter: after };
}

/** A barrier of the document. */
type BarrierSource = NonNullable<GroupSource['barrier']>;

/** Where the parts of a barrier come from besides its own block. */
interface BarrierSurroundings {
  /** The document's own, for what the block does not say. */
  readonly fallback?: BarrierSource | undefined;
  /** Said at the group itself. */
  readonly late?: 'drop' | 'merge' | undefined;
}

/** The rule by which waiting for members ends; without one in the document: all members, no timeout. */
export function barrierSpec(
  own: BarrierSource = {},
  { fallback, late }: BarrierSurroundings = {},
): BarrierSpec {
  const source: BarrierSource = fallback ? { ...fallback, ...own } : own;
  const {
    type = 'count_down',
    required = [],
    on_failure: onFailure = 'retry_failed_worker',
  } = source;
  const onTimeout = asList(source.on_timeout);
  return {
    type,
    expected: source.expected,
    minSuccess: minSuccessOf(source),
    required,
    timeoutMs: durationMs(source.timeout),
    onTimeout: onTimeout.length === 0 ? ['proceed_with_available'] : onTimeout,
    extension: extensionOf(source),
    onFailure,
    ...furtherParts({ ...source, late: own.late ?? late ?? fallback?.late }),
  };
}

/** Absent where the document says nothing, which is what all documents did before: their hash stays. */
function furtherParts(source: BarrierSource): Partial<BarrierSpec> {
  const { soft_deadline: soft, hard_deadline: hard, quorum, weights, late, notify } = source;
  return {
    ...(soft !== undefined && { softTimeoutMs: durationMs(soft) }),
    ...(hard !== undefined && { hardTimeoutMs: durationMs(hard) }),
    ...(quorum !== undefined && { quorum: enoughOf(quorum) }),
    ...(weights && { weights }),
    ...(late === 'merge' && { late }),
    ...(notify !== undefined && notify !== false && { notify: notify === true ? '' : notify }),
  };
}

function extensionOf({ extension = {} }: BarrierSource): BarrierSpec['extension'] {
  return {
    byMs: durationMs(extension.by) ?? defaultExtension.byMs,
    max: extension.max ?? defaultExtension.max,
  };
}

/** How members' outputs become one. */
export function aggregateSpec(source: TierSource['aggregate']): AggregateSpec | undefined {
  if (source === undefined) return undefined;
  const none = { threshold: undefined, module: undefined, export: undefined };
  if (typeof source === 'string') return { ...none, kind: source as AggregateSpec['kind'] };
  if (source.function === undefined)
    return { ...none, kind: 'frequency', threshold: source.frequency };
  return { kind: 'function', threshold: undefined, ...moduleOf(source.function) };
}

/** A module and the export behind its `#`; the export is `default` when neither says one. */
export function moduleOf(text: string, exportName?: string): { module: string; export: string } {
  const hash = text.lastIndexOf('#');
  if (hash <= 0) return { module: text, export: exportName ?? 'default' };
  return { module: text.slice(0, hash), export: exportName ?? (text.slice(hash + 1) || 'default') };
}

/** Who goes on with some members only asks for as many successes, unless the document says otherwise. */
function minSuccessOf({ min_success: value, expected, quorum }: BarrierSource): MinSuccess {
  if (value !== undefined) return enoughOf(value);
  if (quorum !== undefined) return enoughOf(quorum);
  return expected === undefined ? { share: 1 } : { count: expected };
}

function enoughOf(value: number | string | { readonly weight: number }): MinSuccess {
  if (typeof value === 'number') return { count: value };
  if (typeof value === 'string') return { share: Number.parseFloat(value) / 100 };
  return { weight: value.weight };
}
