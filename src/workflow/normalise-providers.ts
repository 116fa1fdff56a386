import type { Draft } from './draft.ts';
import type { BudgetSpec, ProviderLimitSpec, ProviderSpec } from './model.ts';
import { durationMs } from './normalise-policies.ts';
import { breakerSpec } from './normalise-reliability.ts';

/** Limits as a document spells them. */
export interface ProviderLimitSource {
  readonly requests_per_minute?: number | undefined;
  readonly tokens_per_minute?: number | undefined;
  readonly breaker?: Parameters<typeof breakerSpec>[0];
  readonly concurrency?:
    | number
    | {
        readonly initial?: number | undefined;
        readonly min?: number | undefined;
        readonly max?: number | undefined;
        readonly slow_after?: string | number | undefined;
      }
    | undefined;
}

/** A provider as a document, or `createTroupe`, spells it. */
export interface ProviderSource extends ProviderLimitSource {
  readonly key?: string | undefined;
  readonly models?: { readonly [model: string]: ProviderLimitSource } | undefined;
}

/** A provider's limits in the runtime's units. */
export function providerSpec(
  { key, models, ...limits }: ProviderSource,
  breaker?: ProviderLimitSource['breaker'],
): ProviderSpec {
  const ofModels = Object.entries(models ?? {}).map(
    ([name, source]) => [name, limitSpec(source, limits.breaker ?? breaker)] as const,
  );
  return { ...limitSpec(limits, breaker), key, models: Object.fromEntries(ofModels) };
}

/** The providers of a document; undefined: it names none. */
export function providerSpecs({
  document,
}: Draft): { readonly [name: string]: ProviderSpec } | undefined {
  const { providers } = document;
  if (providers === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(providers).map(([name, source]) => [
      name,
      providerSpec(source, document.defaults?.breaker),
    ]),
  );
}

/** What a document allows to be spent; undefined: it says nothing. */
export function budgetSpec({ document }: Draft): BudgetSpec | undefined {
  const { budget } = document;
  return budget && { tokens: budget.tokens, cost: budget.cost, timeMs: durationMs(budget.time) };
}

/** Agents may only name providers that the document describes: one misspelt would have no limits. */
export function checkProviders({ agents, document, faults }: Draft): void {
  const names = Object.keys(document.providers ?? {});
  for (const { id, provider } of agents.values()) {
    if (provider === undefined || names.includes(provider)) continue;
    if (faults.isMuted(['providers', provider])) continue;
    const path = document.agents?.[id] ? ['agents', id, 'provider'] : ['tasks', id, 'provider'];
    const hint =
      names.length > 0
        ? faults.suggestOrList(provider, names, 'Providers')
        : `Add providers: { ${provider}: {} } with its limits, if it has any.`;
    faults.add(
      'TRP_WORKFLOW_UNKNOWN_REF',
      `agent "${id}" names a provider "${provider}" that is not defined`,
      { path, hint },
    );
  }
}

function limitSpec(
  source: ProviderLimitSource,
  fallback: ProviderLimitSource['breaker'],
): ProviderLimitSpec {
  const { concurrency } = source;
  const breaker = breakerSpec(source.breaker, fallback);
  return {
    requestsPerMinute: source.requests_per_minute,
    tokensPerMinute: source.tokens_per_minute,
    ...(breaker && { breaker }),
    concurrency:
      typeof concurrency === 'number'
        ? { initial: concurrency, max: concurrency }
        : concurrency && {
            initial: concurrency.initial,
            min: concurrency.min,
            max: concurrency.max,
            slowAfterMs: durationMs(concurrency.slow_after),
          },
  };
}
