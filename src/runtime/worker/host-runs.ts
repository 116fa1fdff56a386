import type { ProviderGate } from '../../actors/provider-gate.ts';
import type { ProviderCall } from '../../actors/behaviours/behaviour.ts';
import type { Workflow } from '../../workflow/model.ts';
import type { LocalProviderGates } from '../provider-gates.ts';

/** The runs of which a host has attempts at work, as far as their providers go: what documents say counts meanwhile. */
export class HostRuns {
  private readonly gates: LocalProviderGates;
  private readonly attempts = new Map<string, number>();

  constructor(gates: LocalProviderGates) {
    this.gates = gates;
  }

  enter(run: string, providers: Workflow['providers']): void {
    const count = this.attempts.get(run) ?? 0;
    this.attempts.set(run, count + 1);
    if (count === 0) this.gates.open(run, providers);
  }

  leave(run: string): void {
    const count = this.attempts.get(run) ?? 0;
    if (count > 1) return void this.attempts.set(run, count - 1);
    this.attempts.delete(run);
    this.gates.close(run);
  }

  gate(run: string, { provider, key }: ProviderCall): ProviderGate {
    return this.gates.gate(run, key === undefined ? { provider } : { provider, key });
  }

  stop(): void {
    this.gates.stop();
  }
}
