import type { RateShare } from './call-lane.ts';

/** What one process holds of limits that several share, as it stands in the shared record. */
export interface QuotaSlice {
  /** Held per minute: its own use of the last minute is never more. -1: without limit. */
  readonly requests: number;
  readonly tokens: number;
  /** The limits as this process knows them; -1: none. */
  readonly limits: { readonly requests: number; readonly tokens: number };
  /** Calls wait for more. */
  readonly hungry: boolean;
  /** Changes with every renewal. */
  readonly beat: number;
}

/** The shared record of one provider and key. */
export interface QuotaRecord {
  readonly slices: { readonly [process: string]: QuotaSlice };
  /** Nobody calls before; wall milliseconds. */
  readonly pausedUntil: number;
}

/** A process's turn at the record. */
export interface QuotaTurn {
  readonly process: string;
  readonly limits: RateShare;
  /** What it has used within the last minute. */
  readonly used: RateShare;
  readonly hungry: boolean;
  /** Processes that have not renewed their slice for so long that it is nobody's. */
  readonly dead: ReadonlySet<string>;
  readonly beat: number;
}

/** Nobody holds anything. */
export const emptyQuota: QuotaRecord = { slices: {}, pausedUntil: 0 };

/** Part of a limit that a process keeps at hand while nothing of it waits. */
const spare = 0.1;

/**
 * A process's slice renewed: the record to write, and what the process may use from then on. Hungry processes
 * have equal parts of what there is, a single one all of it; the others keep what they have used, and a little.
 *
 * Invariants:
 * 1. What is held in all is at most the least limit that a live process knows, unless more than that had been
 *    used before.
 * 2. A process holds at least what it has used within the last minute, so that what it lets go of can be used by
 *    others in the same minute.
 */
export function renewedQuota(
  record: QuotaRecord,
  turn: QuotaTurn,
): { readonly record: QuotaRecord; readonly share: RateShare } {
  const others = Object.entries(record.slices).filter(
    ([process]) => process !== turn.process && !turn.dead.has(process),
  );
  const slices = others.map(([, slice]) => slice);
  const [requests, tokens] = [part('requests', slices, turn), part('tokens', slices, turn)];
  const mine: QuotaSlice = {
    requests: written(requests.held),
    tokens: written(tokens.held),
    limits: { requests: written(turn.limits.requests), tokens: written(turn.limits.tokens) },
    hungry: turn.hungry,
    beat: turn.beat,
  };
  return {
    record: { ...record, slices: { ...Object.fromEntries(others), [turn.process]: mine } },
    share: { requests: requests.share, tokens: tokens.share },
  };
}

/** The record without a process. */
export function withoutProcess(record: QuotaRecord, process: string): QuotaRecord {
  const { [process]: _left, ...slices } = record.slices;
  return { ...record, slices };
}

function part(
  kind: keyof RateShare,
  others: readonly QuotaSlice[],
  { limits, used, hungry }: QuotaTurn,
): { held: number; share: number } {
  const known = others.map((slice) => read(slice.limits[kind]));
  const limit = Math.min(limits[kind], ...known);
  if (limit === Infinity) return { held: Infinity, share: Infinity };
  const taken = others.reduce((sum, slice) => sum + Math.max(0, slice[kind]), 0);
  const room = Math.max(0, limit - taken);
  const eaters = others.filter((slice) => slice.hungry).length + (hungry ? 1 : 0);
  const wanted = hungry ? Math.ceil(limit / eaters) : used[kind] + Math.ceil(limit * spare);
  const share = Math.min(room, wanted);
  return { held: Math.max(used[kind], share), share };
}

/** JSON has no infinity. */
function written(amount: number): number {
  return amount === Infinity ? -1 : amount;
}

function read(amount: number): number {
  return amount < 0 ? Infinity : amount;
}
