import type { Clock } from '../core/clock.ts';
import type { Deadlines } from '../core/deadlines.ts';
import { CircuitBreaker } from '../supervisors/circuit-breaker.ts';
import type {
  BreakerChange,
  CircuitBreakerEvent,
  CircuitBreakerInput,
} from '../supervisors/circuit-breaker.ts';
import type { Breakers, RunBreaker } from '../supervisors/run/breaker-port.ts';
import type { BreakerSpec } from '../workflow/breaker.ts';
import type { Workflow } from '../workflow/model.ts';

/** What the breakers of a process are made from. */
export interface BreakersOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Starts the machine of a breaker. */
  readonly start: (
    id: string,
    input: CircuitBreakerInput,
  ) => { send(event: CircuitBreakerEvent): void };
}

interface OpenRun {
  readonly workflow: Workflow;
  readonly changed: (change: BreakerChange) => void;
  readonly known: Map<string, RunBreaker | undefined>;
}

/**
 * The breakers of one process, made when first asked for. Agents have theirs per workflow, everything else is
 * shared by all runs; where documents differ, the one that asked last is followed.
 *
 * Invariant: there is one breaker per key, for as long as the process lives.
 */
export class LocalBreakers implements Breakers {
  private readonly options: BreakersOptions;
  private readonly runs = new Map<string, OpenRun>();
  private readonly breakers = new Map<string, CircuitBreaker>();

  constructor(options: BreakersOptions) {
    this.options = options;
  }

  open(run: string, workflow: Workflow, changed: OpenRun['changed']): void {
    this.runs.set(run, { workflow, changed, known: new Map() });
  }

  close(run: string): void {
    this.runs.delete(run);
  }

  find(run: string, name: string): RunBreaker | undefined {
    const open = this.runs.get(run);
    if (!open) return undefined;
    if (open.known.has(name)) return open.known.get(name);
    const spec = specOf(open.workflow, name);
    const found = spec && {
      name,
      breaker: this.breaker(keyOf(open.workflow, name), spec),
      whenOpen: spec.whenOpen,
    };
    open.known.set(name, found);
    return found;
  }

  trip(run: string, name: string, why: string): boolean {
    const found = this.find(run, name);
    found?.breaker.trip(why);
    return found !== undefined;
  }

  /** Nothing is let through, and nobody told, any more. */
  stop(): void {
    for (const breaker of this.breakers.values()) breaker.stop();
  }

  private breaker(key: string, rule: BreakerSpec): CircuitBreaker {
    const known = this.breakers.get(key);
    known?.setRule(rule);
    if (known) return known;
    const { clock, deadlines, start } = this.options;
    const breaker = new CircuitBreaker({
      key,
      actor: start(key, { key }),
      clock,
      deadlines,
      rule,
      changed: (change) => this.tell(key, change),
    });
    this.breakers.set(key, breaker);
    return breaker;
  }

  private tell(key: string, change: BreakerChange): void {
    for (const { known, changed } of [...this.runs.values()])
      for (const [name, found] of known)
        if (found?.breaker.key === key) changed({ ...change, key: name });
  }
}

function keyOf({ name: workflow }: Workflow, name: string): string {
  return name.startsWith('agent:') ? `agent:${workflow}/${name.slice('agent:'.length)}` : name;
}

function specOf(workflow: Workflow, name: string): BreakerSpec | undefined {
  const { agents, providers = {}, breakers } = workflow;
  const colon = name.indexOf(':');
  const [kind, of] = [name.slice(0, colon), name.slice(colon + 1)];
  if (kind === 'agent') return own(agents, of)?.breaker;
  if (kind === 'provider') return own(providers, of)?.breaker;
  if (kind === 'pool') return own(breakers?.pools ?? {}, of);
  if (kind === 'tool') return own(breakers?.tools ?? {}, of);
  const slash = of.indexOf('/');
  return own(own(providers, of.slice(0, slash))?.models ?? {}, of.slice(slash + 1))?.breaker;
}

function own<Value>(mapping: { readonly [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(mapping, name) ? mapping[name] : undefined;
}
