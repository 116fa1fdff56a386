import { ProviderGate } from '../actors/provider-gate.ts';
import type { ProviderGateEvent } from '../actors/provider-gate.ts';
import type { Clock } from '../core/clock.ts';
import { TroupeError } from '../core/errors.ts';
import { seededRandom, seedOf } from '../core/random.ts';
import type { ProviderLimits } from '../policies/call-admission.ts';
import { strictest } from '../policies/strictest-limits.ts';
import type { ProviderGates } from '../supervisors/run/provider-calls.ts';
import type { ProviderSpec, Workflow } from '../workflow/model.ts';

/** What the gates of a process are made from. */
export interface ProviderGatesOptions {
  readonly clock: Clock;
  /** What the process says of providers: it counts before what documents say. */
  readonly providers: { readonly [name: string]: ProviderSpec };
  /** Starts the machine of a gate. */
  readonly start: (
    id: string,
    input: { provider: string; key: string },
  ) => { send(event: ProviderGateEvent): void };
  /** A gate was made: whoever shares limits with other processes takes it up. */
  readonly onGate?: ((gate: LocalGate) => void) | undefined;
}

/** A gate, what it is for, and what it may use at most. */
export interface LocalGate {
  readonly provider: string;
  readonly key: string;
  readonly gate: ProviderGate;
  limits: ProviderLimits;
}

/**
 * The gates of one process, made when first asked for. Limits: what the process says of a provider; else the
 * strictest of what the documents of the runs say that live now.
 *
 * Invariant: there is one gate per provider and key, for as long as the process lives.
 */
export class LocalProviderGates implements ProviderGates {
  private readonly options: ProviderGatesOptions;
  private readonly runs = new Map<string, NonNullable<Workflow['providers']>>();
  private readonly gates = new Map<string, LocalGate>();

  constructor(options: ProviderGatesOptions) {
    this.options = options;
  }

  open(run: string, providers: Workflow['providers']): void {
    if (!providers) return;
    this.runs.set(run, providers);
    this.bind(Object.keys(providers));
  }

  close(run: string): void {
    const providers = this.runs.get(run);
    if (!providers) return;
    this.runs.delete(run);
    this.bind(Object.keys(providers));
  }

  gate(run: string, call: { readonly provider: string; readonly key?: string }): ProviderGate {
    const { provider } = call;
    const spec = this.described(run, provider);
    if (!spec) throw this.unknown(run, provider);
    const key = call.key ?? spec.key ?? '';
    const id = key === '' ? provider : `${provider}/${key}`;
    const known = this.gates.get(id) ?? this.make(id, provider, key);
    return known.gate;
  }

  /** Lets nothing out any more. */
  stop(): void {
    for (const { gate } of this.gates.values()) gate.close();
  }

  private make(id: string, provider: string, key: string): LocalGate {
    const { clock, start, onGate } = this.options;
    const limits = this.limitsOf(provider);
    const actor = start(id, { provider, key });
    const random = seededRandom(seedOf(id, clock.now()));
    const gate = new ProviderGate({ provider, key, actor, clock, random, limits });
    const local = { provider, key, gate, limits };
    this.gates.set(id, local);
    onGate?.(local);
    return local;
  }

  private described(run: string, provider: string): ProviderSpec | undefined {
    return own(this.options.providers, provider) ?? own(this.runs.get(run) ?? {}, provider);
  }

  private bind(names: readonly string[]): void {
    for (const local of this.gates.values()) {
      if (!names.includes(local.provider)) continue;
      const limits = this.limitsOf(local.provider);
      local.limits = limits;
      local.gate.setLimits(limits);
    }
  }

  private limitsOf(provider: string): ProviderLimits {
    const said = own(this.options.providers, provider);
    if (said) return said;
    const documents = [...this.runs.values()].map((providers) => own(providers, provider));
    return strictest(documents.filter((limits) => limits !== undefined));
  }

  private unknown(run: string, provider: string): TroupeError {
    const names = Object.keys({ ...this.options.providers, ...this.runs.get(run) });
    const hint =
      names.length > 0 ? `There are ${names.join(', ')}.` : 'Describe it under `providers:`.';
    return new TroupeError(
      'TRP_WORKFLOW_UNKNOWN_REF',
      `Nobody has described a provider "${provider}".`,
      { place: provider, hint },
    );
  }
}

function own<Value>(mapping: { readonly [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(mapping, name) ? mapping[name] : undefined;
}
