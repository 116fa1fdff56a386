import type { Plain, PlainObject } from '../core/plain.ts';
import { flatBarrier } from './barrier-spellings.ts';
import type { DocumentPath, FaultList } from './fault.ts';

/** How one block of the document is spelled elsewhere, and which blocks it holds. */
interface BlockSpellings {
  /** Source key to canonical key. */
  readonly keys?: { readonly [source: string]: string };
  /** Canonical key to its values' source spellings. */
  readonly values?: { readonly [key: string]: { readonly [source: string]: string | number } };
  /** Canonical key to the block that stands under it; `*x` for each value of the mapping or list, `+x` for the one or each of the list. */
  readonly holds?: { readonly [key: string]: string };
}

/** Units of the levels that resource demands may use instead of numbers. */
const levels = { low: 15, medium: 30, high: 45, very_high: 60 };

/** How the steps of recovery are spelled elsewhere. */
const recoveryWords = {
  peer: 'other_worker',
  peers: 'other_worker',
  redistribute: 'other_worker',
  redistribute_to_peers: 'other_worker',
  model: 'other_model',
  fallback_model: 'other_model',
  degraded: 'degrade',
  human: 'person',
  escalate: 'supervisor',
};

/** How a whole way of recovery is spelled elsewhere. */
const failureWords = {
  redistribute_to_peers: 'redistribute',
  pause_on_exhausted: 'pause',
};

/**
 * The one table of source spellings: the words of the workflows that Troupe grew from, mapped to the
 * canonical ones. What is not here has one spelling only.
 */
export const spellings: { readonly [block: string]: BlockSpellings } = {
  document: {
    keys: {
      resource_pool: 'resources',
      adaptive: 'adaptation',
      resource_monitoring: 'monitoring',
      performance_monitoring: 'monitoring',
      circuit_breakers: 'breakers',
      health_monitor: 'health',
      health_monitoring: 'health',
    },
    holds: {
      tasks: '*task',
      groups: '*group',
      tiers: '*tier',
      barrier_synchronization: 'barrier',
      resources: 'resources',
      memory: 'memory',
      agents: '*agent',
      providers: '*provider',
      breakers: 'breakers',
      health: 'health',
      adaptation: 'adaptation',
      monitoring: 'monitoring',
      defaults: 'defaults',
      escalation: '*rung',
    },
    values: { escalation: recoveryWords },
  },
  defaults: {
    keys: { estimated_duration: 'estimate', circuit_breaker: 'breaker' },
    values: { escalation: recoveryWords, on_failure: failureWords },
    holds: { retry: 'retry', escalation: '*rung', breaker: 'breaker' },
  },
  task: {
    keys: {
      hedging: 'hedge',
      depends_on: 'needs',
      dependencies: 'needs',
      inputs: 'reads',
      outputs: 'writes',
      estimated_duration: 'estimate',
      resource_requirements: 'resources',
    },
    values: { escalation: recoveryWords, on_failure: failureWords },
    holds: {
      retry: 'retry',
      resources: 'demand',
      barrier: 'barrier',
      needs: '+need',
      escalation: '*rung',
    },
  },
  need: {
    values: {
      kind: {
        data_dependency: 'data',
        context_dependency: 'context',
        validation_dependency: 'validation',
      },
    },
  },
  agent: {
    keys: {
      circuit_breaker: 'breaker',
      hedging: 'hedge',
      health_monitor: 'health',
      health_monitoring: 'health',
    },
    holds: { breaker: 'breaker', health: 'health' },
  },
  provider: {
    keys: { circuit_breaker: 'breaker' },
    holds: { breaker: 'breaker', models: '*provider_model' },
  },
  provider_model: { keys: { circuit_breaker: 'breaker' }, holds: { breaker: 'breaker' } },
  breakers: { holds: { pools: '*breaker', tools: '*breaker' } },
  breaker: {
    keys: {
      failure_rate_threshold: 'failure_rate',
      slow_call_rate_threshold: 'slow_call_rate',
      slow_call_duration_threshold: 'slow_call_duration',
      sliding_window_size: 'sliding_window',
      minimum_number_of_calls: 'minimum_calls',
      wait_duration_in_open_state: 'wait',
      wait_duration: 'wait',
      permitted_number_of_calls_in_half_open_state: 'half_open_calls',
      permitted_half_open_calls: 'half_open_calls',
    },
  },
  health: { keys: { error_rate: 'max_error_rate', response_time: 'max_response_time' } },
  demand: { values: { '*': levels } },
  retry: {
    keys: { attempts: 'max_attempts', strategy: 'backoff' },
    values: { then: recoveryWords },
  },
  rung: {
    keys: { step: 'rung', cost: 'max_cost', timeout: 'deadline', on_deadline: 'default' },
    values: { rung: recoveryWords },
  },
  group: {
    keys: {
      agents: 'tasks',
      dependencies: 'needs',
      depends_on: 'needs',
      synchronization_strategy: 'barrier',
      synchronization: 'barrier',
      execution_mode: 'mode',
    },
    values: {
      mode: { truly_parallel: 'fork_join', parallel: 'fork_join', barrier_sync: 'fork_join' },
      escalation: recoveryWords,
      on_failure: failureWords,
    },
    holds: {
      barrier: 'barrier',
      cross_validation: 'cross_validation',
      needs: '+need',
      escalation: '*rung',
    },
  },
  cross_validation: { keys: { validation_agents: 'agents', validation_timeout: 'timeout' } },
  barrier: {
    keys: {
      barrier_type: 'type',
      implementation: 'type',
      soft_timeout: 'soft_deadline',
      hard_timeout: 'hard_deadline',
      notification: 'notify',
      expected_workers: 'expected',
      default_timeout: 'timeout',
      timeout_strategies: 'on_timeout',
      partial_failure_handling: 'on_timeout',
      success_criteria: 'min_success',
    },
    values: {
      type: {
        smart_barrier: 'smart',
        smart_barrier_with_partial_results: 'smart',
        barrier_sync: 'count_down',
        barrier: 'count_down',
      },
      on_timeout: {
        continue_with_partial: 'proceed_with_available',
        continue_with_available: 'proceed_with_available',
        continue_with_available_results: 'proceed_with_available',
        extend_timeout: 'extend',
      },
      min_success: { at_least_one_agent_succeeds: 1, at_least_one_agent_completed_successfully: 1 },
    },
    holds: { extension: 'extension' },
  },
  extension: { keys: { extension: 'by', max_extensions: 'max' } },
  tier: {
    keys: { tier: 'id' },
    values: {
      mode: { Sequential: 'sequential', Parallel: 'parallel' },
      synchronization: {
        'Async merge': 'async_merge',
        Barrier: 'barrier',
        barrier_sync: 'barrier',
        smart_barrier: 'barrier',
        'N/A': 'none',
      },
    },
    holds: { barrier: 'barrier' },
  },
  resources: {
    keys: {
      total_cpu_units: 'cpu',
      total_memory_units: 'memory',
      concurrent_agent_limit: 'concurrency',
      max_concurrent: 'concurrency',
    },
    holds: { context_store: 'context_store' },
  },
  adaptation: {
    values: {
      actions: {
        increase_cpu_allocation: 'allocation',
        adjust_parallel_group_sizes: 'group_sizes',
        modify_timeout_values: 'timeouts',
        reorder_non_critical_operations: 'order',
      },
    },
  },
  monitoring: {
    keys: { sampling_interval: 'interval', alert_thresholds: 'thresholds' },
    holds: { thresholds: 'thresholds' },
  },
  thresholds: { keys: { memory_usage: 'memory' } },
  memory: { holds: { keys: '*memory_key' } },
  context_store: { keys: { concurrent_readers: 'readers', concurrent_writers: 'writers' } },
  memory_key: {
    keys: { validate: 'schema', validation: 'schema' },
    values: {
      merge: {
        first_writer_wins_with_merge_opportunity: 'first_writer_wins',
        three_way_merge: 'three_way',
        three_way_merge_with_validation: 'three_way',
        manual_conflict_resolution: 'manual',
      },
    },
  },
};
const spellingsOfKey = collectSpellings();

/** The source spellings that a canonical key may have had in the text. */
export function sourceSpellings(key: string): readonly string[] {
  return spellingsOfKey.get(key) ?? [];
}

/** A copy of a document in canonical spelling. A key that stands in two spellings is a fault. */
export function canonicalSpelling(document: Plain, faults: FaultList): Plain {
  return respell(document, { block: 'document', path: [], faults });
}

interface Place {
  readonly block: string;
  readonly path: DocumentPath;
  readonly faults: FaultList;
}

function respell(source: Plain, place: Place): Plain {
  const value = place.block === 'barrier' ? flattened(source, place) : source;
  if (!isObject(value)) return value;
  const { keys = {}, values = {}, holds = {} } = spellings[place.block] ?? {};
  const result = new Map<string, Plain>();
  for (const [source, held] of Object.entries(value)) {
    const key = own(keys, source) ?? source;
    const here = { ...place, path: [...place.path, key] };
    if (result.has(key)) addTwice(here, source);
    const respelled = knownValue(values, key, held);
    const block = own(holds, key);
    result.set(key, block === undefined ? respelled : respellHeld(respelled, { ...here, block }));
  }
  return Object.fromEntries(result);
}

function knownValue(
  values: NonNullable<BlockSpellings['values']>,
  key: string,
  held: Plain,
): Plain {
  const known = own(values, key) ?? own(values, '*');
  return known ? respellValue(held, known) : held;
}

function flattened(source: Plain, { path, faults }: Place): Plain {
  return flatBarrier(source, (key, message, hint) =>
    faults.add('TRP_WORKFLOW_INVALID', message, { path: [...path, key], point: 'key', hint }),
  );
}

function respellHeld(value: Plain, place: Place): Plain {
  const [mark] = place.block;
  const block = place.block.replace(/^[*+]/, '');
  const each = (item: Plain, key: string | number): Plain =>
    item === null && block === 'task'
      ? {}
      : respell(item, { ...place, block, path: [...place.path, key] });
  if (mark !== block[0] && Array.isArray(value)) return (value as readonly Plain[]).map(each);
  if (mark !== '*' || !isObject(value)) return respell(value, { ...place, block });
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item, key)]));
}

function respellValue(value: Plain, known: { readonly [source: string]: string | number }): Plain {
  if (Array.isArray(value))
    return (value as readonly Plain[]).map((item) => respellValue(item, known));
  return typeof value === 'string' ? (own(known, value) ?? value) : value;
}

function addTwice(place: Place, source: string): void {
  const key = String(place.path.at(-1));
  const message = `the key "${key}" stands twice, once spelled "${source}"`;
  place.faults.add('TRP_WORKFLOW_DUPLICATE_KEY', message, { path: place.path, point: 'key' });
}

function collectSpellings(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { keys = {} } of Object.values(spellings)) {
    for (const [source, key] of Object.entries(keys)) {
      found.set(key, [...(found.get(key) ?? []), source]);
    }
  }
  return found;
}

function own<T>(table: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function isObject(value: Plain): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
