import type { PolicyAdapted } from './record.ts';

/** What a run has changed about itself; it stays in force when the run is resumed. */
export interface AdaptationRows {
  /** Changes so far, without what the run chose when it began. */
  count: number;
  /** Attempts at one time; undefined: what the document says. */
  concurrency: number | undefined;
  /** When concurrency was changed, and to what. */
  readonly places: { readonly at: number; readonly to: number }[];
  /** Members at one time, by group; groups without an entry are not limited. */
  readonly groups: Map<string, number>;
  /** Timeouts are so many times those of the document. */
  timeoutFactor: number;
  /** How many times as long as planned the tasks of an agent take. */
  readonly paces: Map<string, number>;
}

/** Nothing has been changed. */
export function emptyAdaptation(): AdaptationRows {
  return {
    count: 0,
    concurrency: undefined,
    places: [],
    groups: new Map(),
    timeoutFactor: 1,
    paces: new Map(),
  };
}

/** Notes a change. */
export function applyAdapted(
  rows: AdaptationRows,
  { policy, of, from, to, at }: PolicyAdapted & { readonly at: number },
): void {
  // Choosing a limit at the start changes nothing yet.
  if (policy !== 'concurrency' || from !== null) rows.count++;
  if (policy === 'group_size') rows.groups.set(of, to);
  else if (policy === 'order') rows.paces.set(of, to);
  else if (policy === 'timeouts') rows.timeoutFactor = to;
  else {
    rows.concurrency = to;
    rows.places.push({ at, to });
  }
}
