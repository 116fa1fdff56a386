import type { ProviderGate } from '../../actors/provider-gate.ts';
import type { TroupeError } from '../../core/errors.ts';
import type { Spend } from '../../policies/budget.ts';
import type { Workflow } from '../../workflow/model.ts';

/** The providers that runs of this process call. */
export interface ProviderGates {
  /** A run begins whose document describes these. */
  open(run: string, providers: Workflow['providers']): void;
  close(run: string): void;
  /** @throws TroupeError TRP_WORKFLOW_UNKNOWN_REF when nobody has described the provider */
  gate(
    run: string,
    call: { readonly provider: string; readonly key?: string | undefined },
  ): ProviderGate;
}

/** What a run tells the calls of a running attempt. */
export interface LiveCalls {
  /** None is let out any more, and those that wait are refused. */
  refuse(reason: TroupeError): void;
  /** The attempt is over. */
  close(): void;
  /** What they have spent so far. */
  readonly total: Readonly<Spend>;
}
