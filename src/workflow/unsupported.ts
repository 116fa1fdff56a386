/**
 * Keys and values of the document's language that this version does not act on. They are refused by name,
 * so that nobody believes in a breaker or a cache that is not there.
 */
const unsupportedKeys: { readonly [block: string]: readonly string[] } = {
  document: [
    'alerts', 'barrier_synchronization', 'batch', 'breaker', 'budget', 'bus', 'cache', 'caching_system', 'circuit_breaker',
    'consistency', 'consistency_rules', 'context_conflicts', 'dependency_analyzer', 'enhanced_workflow_step', 'escalation',
    'escalations', 'execution_groups', 'health_monitor', 'health_monitoring', 'hedge', 'hedging', 'load_balancing', 'models',
    'monitoring', 'performance_monitoring', 'performance_optimization', 'pools', 'providers', 'rate_limits', 'resource_manager',
    'restart', 'retention', 'schedule', 'secrets', 'state_sync', 'supervision', 'telemetry', 'tools', 'workers',
  ],
  agent: [
    'breaker', 'budget', 'cache', 'circuit_breaker', 'escalation', 'fallback', 'health', 'health_check', 'health_monitor',
    'hedge', 'hedging', 'idempotent', 'max_steps', 'model', 'output', 'peers', 'pool', 'prompt', 'provider', 'rate_limits',
    'restart', 'score', 'secrets', 'system', 'temperature', 'tool', 'tools', 'workflow',
  ],
  agent_limits: ['requests_per_minute', 'tokens_per_minute', 'max_cost', 'cost'],
  task: [
    'batch', 'breaker', 'budget', 'cache', 'chain', 'circuit_breaker', 'complexity', 'consistency', 'context_requirements',
    'escalation', 'fallback', 'hedge', 'hedging', 'idempotent', 'late', 'model', 'on_failure', 'output', 'pool', 'prompt',
    'redistribute', 'redistribution', 'restart', 'score', 'speculative', 'steps', 'then', 'tool', 'tools', 'weight', 'workflow',
  ],
  for_each: ['batch', 'chain', 'key', 'max_parallel', 'steps', 'then'],
  shards: ['by', 'hash', 'key', 'range', 'semantic', 'strategy'],
  aspect: ['needs', 'timeout', 'weight'],
  retry: ['classes', 'errors', 'on', 'peers', 'then'],
  group: [
    'breaker', 'budget', 'circuit_breaker', 'consistency', 'consistency_rules', 'escalation', 'health_monitor', 'health_monitoring',
    'hedge', 'hedging', 'isolate', 'late', 'max_restarts', 'parallel_configuration', 'redistribute', 'redistribution',
    'resource_isolation', 'restart', 'strategy', 'window',
  ],
  barrier: ['hard_deadline', 'hard_timeout', 'late', 'notification', 'notify', 'quorum', 'soft_deadline', 'soft_timeout', 'weights'],
  min_success: ['weight'],
  cross_validation: ['max_rounds'],
  tier: ['breaker', 'circuit_breaker', 'escalation', 'health_monitor', 'late', 'load_balancing', 'restart', 'state_sync', 'strategy'],
  resources: [
    'allocation_strategy', 'computational', 'context_store', 'load_balancing', 'rate_limits', 'resource_monitoring', 'resource_sharing',
  ],
  resource: ['cache_size', 'concurrent_renders', 'lock_timeout', 'per', 'render_timeout', 'window'],
  memory: ['consistency', 'history', 'limits', 'merge', 'ownership', 'retention', 'state_sync', 'ttl', 'views'],
  memory_key: ['function', 'history', 'owner', 'ttl', 'validate', 'validation'],
  aggregate: ['confidence', 'consensus', 'quality', 'synthesis', 'vote', 'weighted', 'weights'],
};

const unsupportedValues: { readonly [key: string]: readonly string[] } = {
  uses: ['model', 'tool', 'workflow'],
  merge: ['function', 'manual', 'manual_conflict_resolution', 'semantic', 'semantic_merge', 'semantic_merge_where_possible'],
  on_timeout: ['escalate'],
  on_failure: ['escalate', 'hedge', 'redistribute', 'restart'],
  kind: ['resource', 'timing'],
  aggregate: ['conflict_resolution', 'consensus', 'hierarchical', 'quality', 'synthesis', 'vote', 'weighted'],
  context_sharing: ['live', 'none', 'shared', 'read_write', 'read_write_shared', 'isolated'],
  backoff: ['decorrelated', 'fibonacci'],
};

/** Whether the key belongs to the language of that block and is not acted on. */
export function isUnsupportedKey(block: string, key: string): boolean {
  return Object.hasOwn(unsupportedKeys, block) && (unsupportedKeys[block]?.includes(key) ?? false);
}

/** Whether the value belongs to the language of that key and is not acted on. */
export function isUnsupportedValue(key: string, value: unknown): boolean {
  if (typeof value !== 'string' || !Object.hasOwn(unsupportedValues, key)) return false;
  return unsupportedValues[key]?.includes(value) ?? false;
}
