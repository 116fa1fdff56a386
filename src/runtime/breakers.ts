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
    const spec = breakerSpecOf(open.workflow, name);
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
    for (const { known, changed } of this.runs.values())
      for (const [name, found] of known)
        if (found?.breaker.key === key) changed({ ...change, key: name });
  }
}

function keyOf({ name: workflow }: Workflow, name: string): string {
  return name.startsWith('agent:') ? `agent:${workflow}/${name.slice('agent:'.length)}` : name;
}

/** What a document says of a breaker, by the name that runs use; undefined: nothing. */
export function breakerSpecOf(workflow: Workflow, name: string): BreakerSpec | undefined {
  const colon = name.indexOf(':');
  const kind = name.slice(0, colon);
  const find = Object.hasOwn(finders, kind) ? finders[kind] : undefined;
  return find?.(workflow, name.slice(colon + 1));
}

type Finder = (workflow: Workflow, of: string) => BreakerSpec | undefined;

const finders: { readonly [kind: string]: Finder } = {
  agent: ({ agents }, of) => own(agents, of)?.breaker,
  provider: ({ providers = {} }, of) => own(providers, of)?.breaker,
  pool: ({ breakers }, of) => own(breakers?.pools ?? {}, of),
  tool: ({ breakers }, of) => own(breakers?.tools ?? {}, of),
  model: ({ providers = {} }, of) => {
    const slash = of.indexOf('/');
    const { models = {} } = own(providers, of.slice(0, slash)) ?? {};
    return own(models, of.slice(slash + 1))?.breaker;
  },
};

function own<Value>(mapping: { readonly [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(mapping, name) ? mapping[name] : undefined;
}
