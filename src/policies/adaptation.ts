import type { AdaptationAction, Thresholds } from '../workflow/adaptation.ts';

/** Within what a run adapts. */
export interface AdaptationRules {
  readonly thresholds: Thresholds;
  readonly actions: readonly AdaptationAction[];
  readonly concurrency: { readonly min: number; readonly max: number };
  /** Timeouts are at most so many times those of the document; from 1. */
  readonly maxTimeoutFactor: number;
}

/** A group of which members run or wait. */
export interface GroupLoad {
  readonly id: string;
  readonly running: number;
  /** Members that have not ended and do not run. */
  readonly waiting: number;
  /** Members at one time; undefined: all. */
  readonly limit: number | undefined;
}

/** One look at the run and the process. */
export interface Measured {
  readonly eventLoopDelayMs: number;
  readonly memory: number;
  /** Undefined: nothing has run yet. */
  readonly responseMs: number | undefined;
  /** Response time over what is usual in this run; 1 when nothing is known. */
  readonly slowness: number;
  readonly queueDepth: number;
  /** Attempts that run. */
  readonly running: number;
  /** Some attempt that runs has shown progress. */
  readonly progressing: boolean;
  readonly groups: readonly GroupLoad[];
}

/** What is in force. */
export interface Settings {
  readonly concurrency: number;
  readonly timeoutFactor: number;
}

/** What to change. */
export interface Adaptation {
  readonly policy: 'concurrency' | 'group_size' | 'timeouts';
  /** The group; empty for what concerns the whole run. */
  readonly of: string;
  /** Null: it was not limited. */
  readonly from: number | null;
  readonly to: number;
  readonly reason: string;
}

/** What has turned out to be too much. */
interface Ceiling {
  readonly at: number;
  /** Calm samples in a row since, and how many it takes until it is tried again. */
  readonly calm: number;
  readonly patience: number;
}

/** What is remembered from sample to sample. Not journaled: a resumed run looks anew. */
export interface AdaptationMemo {
  readonly trend: 'over' | 'slow' | 'under' | 'steady';
  /** Samples in a row of this trend. */
  readonly streak: number;
  /** By group; empty: of the run's concurrency. */
  readonly ceilings: ReadonlyMap<string, Ceiling>;
}

/** Samples in a row that it takes to act. */
const confirmations = 2;

/** What is left of concurrency, or of a group's size, after it was too much. */
const decrease = 0.7;

/** By how much of itself concurrency grows when tasks wait; by one at least. */
const increase = 0.25;

/** Below this share of a threshold all is well: between it and the threshold nothing changes. */
const calmShare = 0.8;

/** Timeouts grow by this factor at a time, once attempts take this many times as long as usual. */
const timeoutStep = { by: 1.5, slowness: 1.3 } as const;

/** Calm samples until a ceiling is first tried again; it doubles with every time that it has held. */
const firstPatience = 12;

/** The memory of a run that has not been looked at. */
export const freshMemo: AdaptationMemo = {
  trend: 'steady',
  streak: 0,
  ceilings: new Map(),
};

/**
 * What to change after one more sample; at most one thing. Too late an event loop or too full a memory lowers
 * concurrency at a stroke; waiting tasks raise it step by step (additive increase and multiplicative decrease
 * as of Chiu and Jain, 1989); long response times narrow the group that runs the most members, and stretch
 * timeouts where attempts show progress. Against flapping: it takes two samples in a row, nothing changes
 * between 80% of a threshold and the threshold, and concurrency that was too much is not tried again before
 * twice as many calm samples as the last time. So a steady load is answered ever more seldom, and a constant
 * one at last not at all.
 */
export function adapt(
  memo: AdaptationMemo,
  { measured, settings, rules }: { measured: Measured; settings: Settings; rules: AdaptationRules },
): { readonly memo: AdaptationMemo; readonly change: Adaptation | undefined } {
  const trend = trendOf(measured, rules.thresholds);
  const streak = trend === memo.trend ? memo.streak + 1 : 1;
  const ceilings = calmed(memo.ceilings, trend);
  const next = { trend, streak, ceilings };
  if (trend === 'steady' || streak < confirmations) return { memo: next, change: undefined };
  const change = changeFor(trend, ceilings, { measured, settings, rules });
  if (!change) return { memo: next, change };
  const isLess = change.policy !== 'timeouts' && trend !== 'under';
  return {
    memo: {
      trend,
      streak: 0,
      ceilings: isLess ? lowerCeiling(ceilings, change, measured) : ceilings,
    },
    change,
  };
}

type Trend = AdaptationMemo['trend'];

interface Situation {
  readonly measured: Measured;
  readonly settings: Settings;
  readonly rules: AdaptationRules;
}

function trendOf(measured: Measured, thresholds: Thresholds): Trend {
  const { eventLoopDelayMs, memory, responseMs = 0 } = measured;
  const slow = thresholds.responseMs ?? Infinity;
  if (eventLoopDelayMs > thresholds.eventLoopDelayMs || memory > thresholds.memory) return 'over';
  if (responseMs > slow) return 'slow';
  const isCalm =
    eventLoopDelayMs <= calmShare * thresholds.eventLoopDelayMs &&
    memory <= calmShare * thresholds.memory &&
    responseMs <= calmShare * slow;
  return isCalm ? 'under' : 'steady';
}

type Ceilings = AdaptationMemo['ceilings'];

function calmed(ceilings: Ceilings, trend: Trend): Ceilings {
  if (ceilings.size === 0) return ceilings;
  const calmer = (calm: number): number => (trend === 'under' ? calm + 1 : 0);
  return new Map([...ceilings].map(([of, known]) => [of, { ...known, calm: calmer(known.calm) }]));
}

/** What was in use was too much; if that had been tried before, it takes twice as long until the next time. */
function lowerCeiling(ceilings: Ceilings, { of }: Adaptation, measured: Measured): Ceilings {
  const known = ceilings.get(of);
  const group = measured.groups.find(({ id }) => id === of);
  const at = group ? group.running : measured.running;
  const patience = known ? known.patience * 2 : firstPatience;
  return new Map([...ceilings, [of, { at, calm: 0, patience }]]);
}

/** The most that may be tried. */
function mostOf(ceilings: Ceilings, of: string): number {
  const ceiling = ceilings.get(of);
  return ceiling && ceiling.calm < ceiling.patience ? ceiling.at - 1 : Infinity;
}

function changeFor(
  trend: Exclude<Trend, 'steady'>,
  ceilings: Ceilings,
  situation: Situation,
): Adaptation | undefined {
  const can = (action: AdaptationAction): boolean => situation.rules.actions.includes(action);
  if (trend === 'over') return can('allocation') ? lowered(situation) : undefined;
  if (trend === 'under')
    return (
      (can('group_sizes') ? widened(ceilings, situation) : undefined) ??
      (can('allocation') ? raised(ceilings, situation) : undefined)
    );
  return (
    (can('timeouts') ? stretched(situation) : undefined) ??
    (can('group_sizes') ? narrowed(situation) : undefined)
  );
}

function lowered({ measured, settings, rules }: Situation): Adaptation | undefined {
  const { concurrency: from } = settings;
  // What does not run cannot be what is too much.
  const used = Math.min(from, Math.max(1, measured.running));
  const to = Math.max(rules.concurrency.min, Math.floor(used * decrease));
  if (to >= from) return undefined;
  const { eventLoopDelayMs, memory } = measured;
  const reason =
    eventLoopDelayMs > rules.thresholds.eventLoopDelayMs
      ? `the event loop is ${Math.round(eventLoopDelayMs)} ms late`
      : `${percent(memory)} of the memory is in use`;
  return { policy: 'concurrency', of: '', from, to, reason };
}

function raised(
  ceilings: Ceilings,
  { measured, settings, rules }: Situation,
): Adaptation | undefined {
  const { concurrency: from } = settings;
  const most = Math.min(rules.concurrency.max, mostOf(ceilings, ''));
  const to = Math.min(most, from + Math.max(1, Math.floor(from * increase)));
  if (to <= from || measured.running < from) return undefined;
  if (measured.queueDepth <= rules.thresholds.queueDepth) return undefined;
  const reason = `${measured.queueDepth} tasks wait, and the process has room`;
  return { policy: 'concurrency', of: '', from, to, reason };
}

/** The group that runs the most members gets fewer at one time: they are what its agents answer slowly to. */
function narrowed({ measured, rules }: Situation): Adaptation | undefined {
  let widest: GroupLoad | undefined;
  for (const group of measured.groups) if (group.running > (widest?.running ?? 1)) widest = group;
  if (!widest) return undefined;
  const to = Math.max(1, Math.floor(widest.running * decrease));
  if (widest.limit !== undefined && to >= widest.limit) return undefined;
  const seconds = Math.round((measured.responseMs ?? 0) / 1000);
  const limit = Math.round((rules.thresholds.responseMs ?? 0) / 1000);
  const reason = `attempts take ${seconds} s, more than ${limit} s, with ${widest.running} members at one time`;
  return { policy: 'group_size', of: widest.id, from: widest.limit ?? null, to, reason };
}

/** A group that was narrowed, and whose members wait for nothing else, gets more again. */
function widened(
  ceilings: Ceilings,
  { measured, settings, rules }: Situation,
): Adaptation | undefined {
  const idle = 1 - measured.running / settings.concurrency;
  const least = 1 - (rules.thresholds.efficiency ?? 1);
  if (idle <= least) return undefined;
  for (const { id, limit, running, waiting } of measured.groups) {
    if (limit === undefined || running < limit || waiting === 0) continue;
    const more = limit + Math.max(1, Math.floor(limit * increase));
    const to = Math.min(more, mostOf(ceilings, id));
    if (to <= limit) continue;
    const reason = `${waiting} members wait, and ${percent(idle)} of the places are free`;
    return { policy: 'group_size', of: id, from: limit, to, reason };
  }
  return undefined;
}

function stretched({ measured, settings, rules }: Situation): Adaptation | undefined {
  const { timeoutFactor: from } = settings;
  const to = Math.min(rules.maxTimeoutFactor, from * timeoutStep.by);
  if (!measured.progressing || measured.slowness < timeoutStep.slowness || to <= from)
    return undefined;
  const reason = `attempts make progress and take ${measured.slowness.toFixed(1)} times as long as usual`;
  return { policy: 'timeouts', of: '', from, to, reason };
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
