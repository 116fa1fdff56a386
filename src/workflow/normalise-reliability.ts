import type { BreakerSpec, SharedBreakers } from './breaker.ts';
import { defaultBreaker } from './breaker.ts';
import type { Draft, TaskSource } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import { defaultHealth } from './health.ts';
import type { HealthSpec } from './health.ts';
import type { HedgeSpec } from './hedge.ts';
import type { AgentSpec } from './model.ts';
import { durationMs } from './normalise-policies.ts';
import type { CheckedDocument } from './schema/check.ts';

type BreakerSource = NonNullable<CheckedDocument['defaults']>['breaker'];
type BreakerBlock = Exclude<BreakerSource, boolean | undefined>;
type HealthSource = NonNullable<CheckedDocument['health']>;
type HedgeSource = TaskSource['hedge'];

/** Share of attempts that a percentile lets be hedged where the document says none. */
const defaultShare = 0.1;

/** A breaker; each field from the first of the sources that says it, else Troupe's. Undefined: there is none. */
export function breakerSpec(
  source: BreakerSource,
  fallback?: BreakerSource,
): BreakerSpec | undefined {
  const wanted = source ?? fallback ?? false;
  if (wanted === false) return undefined;
  return withBlock(withBlock(defaultBreaker, fallback), source);
}

function withBlock(below: BreakerSpec, source: BreakerSource): BreakerSpec {
  if (source === undefined || typeof source === 'boolean') return below;
  return {
    failureRate: shareOf(source.failure_rate) ?? below.failureRate,
    slowCallRate: shareOf(source.slow_call_rate) ?? below.slowCallRate,
    ...slowOf(source, below),
    window: windowOf(source.sliding_window) ?? below.window,
    minimumCalls: source.minimum_calls ?? below.minimumCalls,
    waitMs: durationMs(source.wait) ?? below.waitMs,
    halfOpenCalls: source.half_open_calls ?? below.halfOpenCalls,
    whenOpen: source.when_open ?? below.whenOpen,
  };
}

function slowOf(source: BreakerBlock, below: BreakerSpec): Pick<BreakerSpec, 'slowCallMs'> {
  const slowCallMs = durationMs(source.slow_call_duration) ?? below.slowCallMs;
  return slowCallMs === undefined ? {} : { slowCallMs };
}

function windowOf(value: BreakerBlock['sliding_window']): BreakerSpec['window'] | undefined {
  if (typeof value === 'number') return { calls: value };
  return value === undefined ? undefined : { ms: durationMs(value) ?? 0 };
}

/** What a document says of breakers under `breakers`; undefined: nothing. */
export function sharedBreakers({ document }: Draft): SharedBreakers | undefined {
  const { breakers, defaults } = document;
  if (breakers === undefined) return undefined;
  const specs = (of: typeof breakers.pools): { [name: string]: BreakerSpec } => {
    const found = Object.entries(of ?? {}).flatMap(([name, source]) => {
      const spec = breakerSpec(source, onlyBlock(defaults?.breaker));
      return spec ? [[name, spec] as const] : [];
    });
    return Object.fromEntries(found);
  };
  return { pools: specs(breakers.pools), tools: specs(breakers.tools) };
}

/** The default's settings, for those who have a breaker anyway. */
function onlyBlock(source: BreakerSource): BreakerSource {
  return typeof source === 'boolean' ? undefined : source;
}

/** What an agent says of breakers, health and doing things twice. */
export function agentReliability(
  source: {
    readonly breaker?: BreakerSource;
    readonly health?: HealthSource | undefined;
    readonly idempotent?: boolean | undefined;
  },
  { document }: Draft,
): Pick<AgentSpec, 'breaker' | 'health' | 'idempotent'> {
  const breaker = breakerSpec(source.breaker, document.defaults?.breaker);
  return {
    ...(breaker && { breaker }),
    ...(source.health && { health: healthSpec(source.health, document.health) }),
    ...(source.idempotent && { idempotent: true }),
  };
}

/** When somebody is not healthy; undefined: the document does not ask. */
export function healthSpec(...sources: readonly (HealthSource | undefined)[]): HealthSpec {
  return sources.reduceRight<HealthSpec>((below, source) => {
    if (!source) return below;
    const maxResponseMs = durationMs(source.max_response_time) ?? below.maxResponseMs;
    const maxQueueDepth = source.max_queue_depth ?? below.maxQueueDepth;
    return {
      maxErrorRate: shareOf(source.max_error_rate) ?? below.maxErrorRate,
      ...(maxResponseMs !== undefined && { maxResponseMs }),
      ...(maxQueueDepth !== undefined && { maxQueueDepth }),
      minCalls: source.min_calls ?? below.minCalls,
      windowMs: durationMs(source.window) ?? below.windowMs,
    };
  }, defaultHealth);
}

/** When a task's attempts are hedged; a fault where doing the work twice is not declared to be harmless. */
export function taskHedge(
  id: string,
  source: TaskSource,
  { draft, agent }: { readonly draft: Draft; readonly agent: string },
): { readonly hedge?: HedgeSpec } {
  const ofAgent = draft.document.agents?.[agent];
  const wanted = source.hedge ?? ofAgent?.hedge;
  if (!wanted) return {};
  if (source.idempotent ?? ofAgent?.idempotent) return { hedge: hedgeSpec(wanted) };
  const path: DocumentPath =
    source.hedge === undefined ? ['agents', agent, 'hedge'] : ['tasks', id, 'hedge'];
  if (!draft.faults.isMuted(path))
    draft.faults.add('TRP_WORKFLOW_INVALID', `hedge: task "${id}" is not idempotent`, {
      path,
      point: 'key',
      hint: 'Add idempotent: true to the task or its agent, if doing its work twice does no harm.',
    });
  return {};
}

function hedgeSpec(source: Exclude<HedgeSource, false | undefined>): HedgeSpec {
  const { after = 'p95', max = 1, max_share: maxShare } = source;
  const afterMs = after === 'p95' ? undefined : durationMs(after);
  return {
    afterMs,
    max,
    maxShare: shareOf(maxShare) ?? (afterMs === undefined ? defaultShare : undefined),
  };
}

function shareOf(value: string | number | undefined): number | undefined {
  return typeof value === 'string' ? Number.parseFloat(value) / 100 : value;
}
