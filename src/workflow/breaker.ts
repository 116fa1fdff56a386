/** The newest results that a rate is taken of: so many calls, or those of so many milliseconds. */
export type WindowSpec = { readonly calls: number } | { readonly ms: number };

/** When a breaker opens, for how long, and how it closes again. The words are those of resilience4j. */
export interface BreakerRule {
  /** Share of failed calls in the window from which on it opens, above 0 and up to 1. */
  readonly failureRate: number;
  /** Share of slow calls in the window from which on it opens, above 0 and up to 1. */
  readonly slowCallRate: number;
  /** A call that takes so long, or longer, is slow; undefined: none is. */
  readonly slowCallMs?: number | undefined;
  readonly window: WindowSpec;
  /** Calls in the window before rates mean anything; from 1. */
  readonly minimumCalls: number;
  /** How long it stays open before it lets calls try, milliseconds. */
  readonly waitMs: number;
  /** Calls that it lets through while half open; from 1. */
  readonly halfOpenCalls: number;
}

/** What becomes of a task while a breaker in its way is open. */
export const whenOpen = ['wait', 'redistribute', 'fail'] as const;

/** One of {@link whenOpen}. */
export type WhenOpen = (typeof whenOpen)[number];

/** A breaker as a document asks for it. */
export interface BreakerSpec extends BreakerRule {
  readonly whenOpen: WhenOpen;
}

/** Breakers of what a document describes nowhere else. */
export interface SharedBreakers {
  /** By kind of work: function-inline, function-thread, function-process, command, simulate. */
  readonly pools: { readonly [pool: string]: BreakerSpec };
  /** By the name that functions pass to `tool`. */
  readonly tools: { readonly [tool: string]: BreakerSpec };
}

/** Twenty calls, five at least, half of them failed: open for 30 s, then two calls may try. */
export const defaultBreaker: BreakerSpec = {
  failureRate: 0.5,
  slowCallRate: 1,
  window: { calls: 20 },
  minimumCalls: 5,
  waitMs: 30_000,
  halfOpenCalls: 2,
  whenOpen: 'wait',
};
