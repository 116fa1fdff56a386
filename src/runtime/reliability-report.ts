import type { RunState } from '../journal/run-state.ts';
import type { BreakerState } from '../policies/breaker.ts';
import type { HealthState } from '../policies/health.ts';
import type { RunCore } from '../supervisors/run/core.ts';
import type { AmountReport } from './spend-report.ts';

/** What breakers, hedges and health have had to do with a run; parts that the run does not have are absent. */
export interface ReliabilityReport {
  /** By name: `agent:`, `provider:`, `model:`, `tool:` or `pool:` and a name. */
  readonly breakers?: { readonly [name: string]: BreakerReport };
  readonly hedges?: HedgeReport;
  /** By name: `agent:` or `pool:` and a name, or `run`. Known to the process alone that carries the run. */
  readonly health?: { readonly [name: string]: HealthReport };
}

/** How a breaker stands, and what it has done to tasks of the run. */
export interface BreakerReport {
  /** Null: known to the process alone that carries the run. */
  readonly state: BreakerState | null;
  /** How often it has opened while this process carried the run; null as above. */
  readonly opened: number | null;
  readonly waited: number;
  readonly redistributed: number;
  readonly failed: number;
}

/** Further attempts beside attempts that took long. */
export interface HedgeReport {
  readonly started: number;
  readonly won: number;
  readonly lost: number;
  readonly failed: number;
  /** What attempts have spent that did not win. */
  readonly wasted: AmountReport;
}

/** How somebody does; null: too little is known, or it is not looked at. */
export interface HealthReport {
  readonly state: HealthState;
  readonly error_rate: number | null;
  readonly response_ms: number | null;
  readonly queue_depth: number | null;
}

/** What is reported of a run's reliability; undefined: it has none of it. */
export function reliabilityReport(
  state: RunState,
  core: Pick<RunCore, 'breakers' | 'health'> | undefined,
): ReliabilityReport | undefined {
  const breakers = breakerReports(state, core?.breakers);
  const health = [...(core?.health?.entries() ?? [])].map(
    ([of, standing, { errorRate, responseMs, queueDepth }]) =>
      [
        of,
        {
          state: standing,
          error_rate: errorRate,
          response_ms: responseMs === null ? null : Math.round(responseMs),
          queue_depth: queueDepth,
        },
      ] as const,
  );
  const { running: _, wasted, ...hedges } = state.hedges;
  const report = {
    ...(breakers.length > 0 && { breakers: Object.fromEntries(breakers) }),
    ...(hedges.started > 0 && { hedges: { ...hedges, wasted: { ...wasted } } }),
    ...(health.length > 0 && { health: Object.fromEntries(health) }),
  };
  return Object.keys(report).length === 0 ? undefined : report;
}

function breakerReports(
  { breakers }: RunState,
  live: RunCore['breakers'],
): readonly (readonly [string, BreakerReport])[] {
  const names = new Set([...breakers.keys(), ...(live?.standings.keys() ?? [])]);
  return [...names].map((name) => {
    const counts = breakers.get(name) ?? { waited: 0, redistributed: 0, failed: 0 };
    const standing = live?.standings.get(name);
    // A run that has ended asks its breakers no more.
    const state = live?.find(name)?.breaker.state ?? standing?.state ?? (live ? 'closed' : null);
    return [name, { state, opened: live ? (standing?.opened ?? 0) : null, ...counts }] as const;
  });
}
