import type { Plain, PlainObject } from '../core/plain.ts';

/**
 * How barriers are written in the workflows that Troupe grew from: blocks of strategies with conditions instead
 * of a list of words. Each says in other words what a barrier does; what says something else is a fault.
 */

/** Adds a fault about a key of the barrier. */
export type BarrierFault = (key: string, message: string, hint?: string) => void;

/** What a strategy may give as its condition and action: what the canonical strategy does anyway. */
const strategyWords: { readonly [strategy: string]: readonly string[] } = {
  proceed_with_available: ['use_completed_results_fill_gaps_with_defaults'],
  extend: ['agents_making_progress_but_need_more_time', 'critical_agents_still_processing'],
  abort_and_fallback: [
    'no_agents_completing_OR_critical_errors',
    'no_agents_completing',
    'fall_back_to_sequential_execution',
  ],
};

const strategyNames: { readonly [source: string]: string } = {
  continue_with_partial: 'proceed_with_available',
  continue_with_available: 'proceed_with_available',
  continue_with_available_results: 'proceed_with_available',
  proceed_with_available: 'proceed_with_available',
  extend_timeout: 'extend',
  extend: 'extend',
  abort_and_fallback: 'abort_and_fallback',
  fail: 'fail',
};

/** The four phases, and what happens in each: Troupe does all of it, in this order. */
const phaseSteps: { readonly [phase: string]: readonly string[] } = {
  initiation: [
    'start_all_parallel_agents_simultaneously',
    'establish_shared_context_locks',
    'begin_progress_monitoring',
  ],
  execution_monitoring: [
    'track_individual_agent_progress',
    'monitor_resource_utilization',
    'detect_potential_conflicts_early',
    'provide_progress_updates',
  ],
  completion_detection: [
    'wait_for_all_agents_OR_timeout',
    'collect_completed_results',
    'assess_partial_completion_viability',
    'make_continuation_decision',
  ],
  synchronization: [
    'merge_parallel_results',
    'resolve_any_conflicts',
    'validate_cross_agent_consistency',
    'prepare_context_for_next_group',
  ],
};

/** A barrier with its strategies as a list and its criteria as numbers; other keys stay as they are. */
export function flatBarrier(source: Plain, fault: BarrierFault): Plain {
  if (typeof source === 'string') return { type: source };
  if (!isObject(source)) return source;
  const flat: { [key: string]: Plain } = {};
  for (const [key, value] of Object.entries(source)) {
    if (key === 'timeout_handling' && isObject(value)) Object.assign(flat, value);
    else if (key === 'phases' || key === 'synchronization_phases') checkPhases(key, value, fault);
    else flat[key] = value;
  }
  const strategies = flat['timeout_strategies'] ?? flat['on_timeout'];
  if (isObject(strategies)) {
    delete flat['timeout_strategies'];
    delete flat['on_timeout'];
    addStrategies(flat, strategies, fault);
  }
  addCriteria(flat, fault);
  return flat;
}

function addStrategies(
  flat: { [key: string]: Plain },
  strategies: PlainObject,
  fault: BarrierFault,
): void {
  const order: string[] = [];
  for (const [source, block] of Object.entries(strategies)) {
    const strategy = Object.hasOwn(strategyNames, source) ? strategyNames[source] : undefined;
    if (strategy === undefined) {
      const hint = 'Known: continue_with_partial, extend_timeout, abort_and_fallback, fail.';
      fault('on_timeout', `there is no strategy "${source}"`, hint);
      continue;
    }
    order.push(strategy);
    if (isObject(block)) addStrategy(flat, { strategy, block }, fault);
  }
  flat['on_timeout'] = order;
}

function addStrategy(
  flat: { [key: string]: Plain },
  { strategy, block }: { readonly strategy: string; readonly block: PlainObject },
  fault: BarrierFault,
): void {
  for (const [key, value] of Object.entries(block)) {
    if (key === 'notification' || key === 'notify') flat['notify'] ??= value;
    else if (strategy === 'extend' && isExtensionKey(key)) setExtension(flat, key, value);
    else if (strategy === 'proceed_with_available' && key === 'condition')
      addCondition(flat, value, fault);
    else checkWord({ strategy, key, value }, fault);
  }
}

function isExtensionKey(key: string): boolean {
  return key === 'extension' || key === 'max_extensions';
}

/** What is said of a strategy in words; other words would ask for something that it does not do. */
function checkWord(
  {
    strategy,
    key,
    value,
  }: { readonly strategy: string; readonly key: string; readonly value: Plain },
  fault: BarrierFault,
): void {
  if (key === 'quality_impact') return;
  if (key !== 'condition' && key !== 'action')
    return fault('on_timeout', `${strategy} has no key "${key}"`);
  const words = strategyWords[strategy] ?? [];
  if (typeof value === 'string' && words.includes(value)) return;
  const hint = words.length > 0 ? `Known: ${words.join(', ')}.` : 'Leave it out.';
  fault('on_timeout', `${strategy}: the ${key} "${shown(value)}" is not known`, hint);
}

function addCondition(flat: { [key: string]: Plain }, value: Plain, fault: BarrierFault): void {
  const least = leastOf(value);
  if (least === undefined)
    fault('on_timeout', `the condition "${shown(value)}" is not known`, criterionHint);
  else if (flat['min_success'] === undefined && flat['success_criteria'] === undefined)
    flat['min_success'] = least;
}

const criterionHint =
  'Write at_least_one_agent_succeeds, at_least_3_agents_succeed, sufficient_agents_completed_80% or all_agents_succeed.';

function addCriteria(flat: { [key: string]: Plain }, fault: BarrierFault): void {
  const { success_criteria: success, failure_criteria: failure } = flat;
  if (typeof success === 'string' && leastOf(success) !== undefined) {
    delete flat['success_criteria'];
    flat['min_success'] ??= leastOf(success) as Plain;
  }
  if (failure === undefined) return;
  delete flat['failure_criteria'];
  if (failure === 'any_agent_fails') flat['on_failure'] ??= 'fail_fast';
  else if (failure === 'all_agents_fail_or_timeout' || failure === 'all_agents_fail') {
    flat['min_success'] ??= 1;
    if (flat['min_success'] === 1) return;
    const message = `failure_criteria: ${failure} contradicts min_success: ${shown(flat['min_success'])}`;
    fault('min_success', message, 'Leave one of the two out.');
  } else {
    const hint = 'Known: all_agents_fail_or_timeout, any_agent_fails.';
    fault('min_success', `failure_criteria: "${shown(failure)}" is not known`, hint);
  }
}

const countWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** What a criterion in words comes to: `at_least_two_agents_succeed` is 2, `sufficient_agents_completed_80%` is 80%. */
function leastOf(value: Plain): number | string | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^all_agents_(succeed|completed?(_successfully)?)$/.test(value)) return '100%';
  const share = /^sufficient_agents_completed_(\d{1,3}%)$/.exec(value)?.[1];
  if (share !== undefined) return share;
  const count = /^at_least_([a-z]+|\d+)_agents?_(succeeds?|completed(_successfully)?)$/.exec(
    value,
  )?.[1];
  if (count === undefined) return undefined;
  const number = /^\d+$/.test(count) ? Number(count) : countWords.indexOf(count);
  return number < 0 ? undefined : number;
}

function setExtension(flat: { [key: string]: Plain }, key: string, value: Plain): void {
  const { extension } = flat;
  const known = isObject(extension) ? extension : {};
  const part = key === 'extension' ? { by: longest(value) } : { max: value };
  flat['extension'] = { ...known, ...part };
}

/** `5_minutes_maximum` is a duration like any other: an extension is never longer than it says. */
function longest(value: Plain): Plain {
  return typeof value === 'string' ? value.replace(/_maximum$/, '') : value;
}

function checkPhases(key: string, value: Plain, fault: BarrierFault): void {
  const phases = isObject(value) ? Object.entries(value) : [];
  for (const [name, steps] of phases) {
    const phase = name.replace(/^phase_\d_/, '');
    const known = Object.hasOwn(phaseSteps, phase) ? phaseSteps[phase] : undefined;
    if (!known)
      fault(key, `there is no phase "${name}"`, `Phases: ${Object.keys(phaseSteps).join(', ')}.`);
    else if (Array.isArray(steps))
      for (const step of (steps as readonly Plain[]).filter(
        (one) => !known.some((word) => word === one),
      ))
        fault(key, `${name} has no step "${shown(step)}"`, `Steps: ${known.join(', ')}.`);
  }
}

/** A value as it may stand in a message. */
function shown(value: Plain | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isObject(value: Plain | undefined): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
