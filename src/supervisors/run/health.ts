import { Health } from '../../policies/health.ts';
import type { HealthFigures, HealthState } from '../../policies/health.ts';
import type { HealthSpec } from '../../workflow/health.ts';
import type { AgentSpec } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';
import type { HealthDesk } from './reliability-ports.ts';

interface Watched {
  readonly health: Health;
  told: HealthState;
}

/**
 * How the agents, pools and the whole of one run do, as far as the document asks. It is not journaled: a resumed run
 * begins healthy.
 *
 * Invariant: a change is told once, when it is seen: at the end of an attempt, or when somebody asks.
 */
class RunHealth implements HealthDesk {
  private readonly core: RunCore;
  private readonly watched = new Map<string, Watched>();

  constructor(core: RunCore) {
    this.core = core;
  }

  /** An attempt has ended; withdrawn ones are not told. */
  note(agent: AgentSpec, pool: string, end: { failed: boolean; durationMs: number }): void {
    const { health } = this.core.book.workflow;
    const now = this.core.services.clock.now();
    const places = [
      [`agent:${agent.id}`, agent.health ?? health],
      [`pool:${pool}`, health],
      ['run', health],
    ] as const;
    for (const [of, spec] of places) {
      if (!spec) continue;
      const watched = this.of(of, spec);
      watched.health.note(end.failed, end.durationMs, now);
      this.look(of, watched);
    }
  }

  /** Whether somebody else is to be preferred, if there is anybody. */
  isUnhealthy(agent: string): boolean {
    const watched = this.watched.get(`agent:${agent}`);
    return watched !== undefined && this.look(`agent:${agent}`, watched) === 'unhealthy';
  }

  /** Everybody of whom something is known. */
  *entries(): Iterable<readonly [of: string, state: HealthState, figures: HealthFigures]> {
    const now = this.core.services.clock.now();
    for (const [of, watched] of this.watched)
      yield [of, this.look(of, watched), watched.health.figures(now, this.depth())];
  }

  private of(of: string, spec: HealthSpec): Watched {
    const known = this.watched.get(of);
    if (known) return known;
    const made: Watched = { health: new Health(spec), told: 'healthy' };
    this.watched.set(of, made);
    return made;
  }

  private look(of: string, watched: Watched): HealthState {
    const { services, run } = this.core;
    const now = services.clock.now();
    const state = watched.health.look(now, this.depth());
    if (state === watched.told) return state;
    watched.told = state;
    const why = reasonOf(watched.health.figures(now, this.depth()));
    const text = `${of} is ${state}: ${why}`;
    services.logger[state === 'unhealthy' ? 'warn' : 'info'](text, { run, of });
    services.alerted?.(run, { kind: 'health', of, state, why });
    return state;
  }

  private depth(): number {
    const { maxQueueDepth } = this.core.book.workflow.health ?? {};
    return maxQueueDepth === undefined ? 0 : this.core.services.capacity().queueDepth;
  }
}

/** Watches the health of a run whose document asks for it. */
export function beginHealth(core: RunCore): void {
  const { health, agents } = core.book.workflow;
  const isAsked = health ?? Object.values(agents).some((agent) => agent.health);
  if (isAsked) core.health = new RunHealth(core);
}

function reasonOf({ errorRate, responseMs, queueDepth }: HealthFigures): string {
  const parts = [
    ...(errorRate === null ? [] : [`${Math.round(errorRate * 100)}% of its attempts fail`]),
    ...(responseMs === null ? [] : [`they take ${Math.round(responseMs)} ms`]),
    ...(queueDepth === null ? [] : [`${queueDepth} tasks wait`]),
  ];
  return parts.length === 0 ? 'little is known of it' : parts.join(', ');
}
