import type { BreakerPermit, BreakerState } from '../policies/breaker.ts';
import { breakerSpecOf } from '../runtime/breakers.ts';
import type { CircuitBreaker } from '../supervisors/circuit-breaker.ts';
import type { Breakers } from '../supervisors/run/breaker-port.ts';
import type { BreakerSpec } from '../workflow/breaker.ts';
import type { Workflow } from '../workflow/model.ts';

/** What may follow each state. */
const following: { readonly [state in BreakerState]: readonly BreakerState[] } = {
  closed: ['open'],
  open: ['half_open'],
  half_open: ['closed', 'open'],
};

/** What a breaker has let through since it was half open. */
interface Tries {
  turn: number;
  readonly out: Set<BreakerPermit>;
}

/** Follows the breakers of one process: their states, as each run is told of them, and every call that they let through. */
export class BreakerWatch {
  private readonly states = new Map<string, BreakerState>();
  private readonly workflows = new Map<string, Workflow>();
  private readonly tries = new WeakMap<CircuitBreaker, Tries>();
  private readonly illegal: (detail: string) => void;
  private readonly now: () => number;

  /**
   * @param illegal called with what a breaker may not do
   * @param now the clock that breakers go by
   */
  constructor(illegal: (detail: string) => void, now: () => number) {
    this.illegal = illegal;
    this.now = now;
  }

  /** @param run who was told; a run that comes later is told of no past */
  changed(run: string, breaker: string, state: BreakerState): void {
    const id = `${run} ${breaker}`;
    const before = this.states.get(id);
    this.states.set(id, state);
    if (before !== undefined && !following[before].includes(state))
      this.illegal(`breaker ${breaker} went from ${before} to ${state}`);
  }

  /** The same breakers, each with somebody beside it who counts. */
  watched(breakers: Breakers): Breakers {
    return {
      open: (run, workflow, changed) => {
        this.workflows.set(run, workflow);
        breakers.open(run, workflow, changed);
      },
      close: (run) => breakers.close(run),
      trip: (run, name, why) => breakers.trip(run, name, why),
      find: (run, name) => {
        const found = breakers.find(run, name);
        const workflow = this.workflows.get(run);
        const spec = workflow && breakerSpecOf(workflow, name);
        if (!found || !spec) return found;
        return { ...found, breaker: this.beside(found.breaker, { name, spec }) };
      },
    };
  }

  private beside(breaker: CircuitBreaker, of: { name: string; spec: BreakerSpec }): CircuitBreaker {
    const own: { readonly [name: string | symbol]: unknown } = {
      ask: () => this.asked(breaker, of),
      report: (...[permit, result]: Parameters<CircuitBreaker['report']>) => {
        const tries = this.tries.get(breaker);
        if (result.end === 'withdrawn') tries?.out.delete(permit);
        breaker.report(permit, result);
      },
    };
    return new Proxy(breaker, {
      get: (target, name) => {
        if (Object.hasOwn(own, name)) return own[name];
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  private asked(
    breaker: CircuitBreaker,
    { name, spec }: { name: string; spec: BreakerSpec },
  ): BreakerPermit | undefined {
    const { until } = breaker;
    const permit = breaker.ask();
    if (!permit) return undefined;
    if (until !== undefined && this.now() < until)
      this.illegal(`breaker ${name} lets a call through while it is open`);
    if (breaker.state === 'half_open') this.tried(breaker, permit, { name, spec });
    return permit;
  }

  private tried(
    breaker: CircuitBreaker,
    permit: BreakerPermit,
    { name, spec }: { name: string; spec: BreakerSpec },
  ): void {
    const known = this.tries.get(breaker);
    const tries =
      known?.turn === permit.turn ? known : { turn: permit.turn, out: new Set<BreakerPermit>() };
    this.tries.set(breaker, tries);
    tries.out.add(permit);
    if (tries.out.size > spec.halfOpenCalls)
      this.illegal(
        `breaker ${name} tries ${tries.out.size} calls, ${spec.halfOpenCalls} are permitted`,
      );
  }
}
