import { describe, expect, it } from 'vitest';

import { defaultBreaker } from '../../src/workflow/breaker.ts';
import type { WorkflowDocument } from '../../src/workflow/document.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { parseWorkflow, validateDocument } from '../../src/workflow/validate.ts';

const task = { t: { agent: 'a' } };

function parsed(document: object): Promise<Workflow> {
  return parseWorkflow(document as WorkflowDocument, { baseDir: '/' });
}

async function agentOf(agent: object, rest: object = {}): Promise<Workflow['agents'][string]> {
  const workflow = await parsed({
    agents: { a: { uses: 'simulate', ...agent } },
    tasks: task,
    ...rest,
  });
  return workflow.agents['a'] as Workflow['agents'][string];
}

async function faultsOf(document: object): Promise<readonly string[]> {
  const result = await validateDocument({ object: document, baseDir: '/' });
  return result.faults.map(({ path, message }) => `${path}: ${message}`);
}

describe('breakers in a document', () => {
  it('are none where it says nothing', async () => {
    expect((await agentOf({})).breaker).toBeUndefined();
  });

  it('have the settings of Troupe for what they do not say', async () => {
    expect((await agentOf({ breaker: true })).breaker).toEqual(defaultBreaker);
    expect((await agentOf({ breaker: { failure_rate: '20%', wait: '5s' } })).breaker).toEqual({
      ...defaultBreaker,
      failureRate: 0.2,
      waitMs: 5000,
    });
  });

  it('may be spelled in the words of resilience4j', async () => {
    const circuit = {
      failure_rate_threshold: 0.4,
      slow_call_rate_threshold: '80%',
      slow_call_duration_threshold: '2s',
      sliding_window_size: '60s',
      minimum_number_of_calls: 7,
      wait_duration_in_open_state: '10s',
      permitted_number_of_calls_in_half_open_state: 3,
    };
    expect((await agentOf({ circuit_breaker: circuit })).breaker).toEqual({
      failureRate: 0.4,
      slowCallRate: 0.8,
      slowCallMs: 2000,
      window: { ms: 60_000 },
      minimumCalls: 7,
      waitMs: 10_000,
      halfOpenCalls: 3,
      whenOpen: 'wait',
    });
  });

  it('come from the defaults for agents and providers that say none, and settings too', async () => {
    const rest = { defaults: { breaker: { minimum_calls: 9 } }, providers: { api: {} } };
    expect((await agentOf({}, rest)).breaker?.minimumCalls).toBe(9);
    expect((await agentOf({ breaker: { wait: '1s' } }, rest)).breaker).toMatchObject({
      minimumCalls: 9,
      waitMs: 1000,
    });
    expect((await agentOf({ breaker: false }, rest)).breaker).toBeUndefined();
    const workflow = await parsed({ agents: { a: { uses: 'simulate' } }, tasks: task, ...rest });
    expect(workflow.providers?.['api']?.breaker?.minimumCalls).toBe(9);
  });

  it('are refused with words that say what was expected', async () => {
    const faults = await faultsOf({
      agents: { a: { uses: 'simulate', breaker: { failure_rate: 0, sliding_window: 'soon' } } },
      tasks: task,
    });
    expect(faults.join('\n')).toMatch(/share above zero/);
    expect(faults.join('\n')).toMatch(/number of calls such as 20/);
  });
});

describe('hedging in a document', () => {
  it('is refused for work that may not be done twice', async () => {
    const faults = await faultsOf({
      agents: { a: { uses: 'simulate' } },
      tasks: { t: { agent: 'a', hedge: { after: '30s' } } },
    });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/task "t" is not idempotent/);
  });

  it('is taken from the agent, with p95 and a tenth of the attempts as defaults', async () => {
    const workflow = await parsed({
      agents: { a: { uses: 'simulate', idempotent: true, hedging: {} } },
      tasks: { t: { agent: 'a' }, other: { agent: 'a', hedge: false } },
    });
    expect(workflow.tasks[0]?.hedge).toEqual({ afterMs: undefined, max: 1, maxShare: 0.1 });
    expect(workflow.tasks[1]?.hedge).toBeUndefined();
  });

  it('is not bounded where a time is named', async () => {
    const workflow = await parsed({
      tasks: { t: { uses: 'simulate', idempotent: true, hedge: { after: '30s', max: 2 } } },
    });
    expect(workflow.tasks[0]?.hedge).toMatchObject({ afterMs: 30_000, max: 2 });
    expect(workflow.tasks[0]?.hedge?.maxShare).toBeUndefined();
  });
});

describe('health in a document', () => {
  it('has limits of its own for an agent, over those for all', async () => {
    const rest = { health_monitor: { max_error_rate: '30%', min_calls: 4 } };
    expect((await agentOf({ health: { max_response_time: '30s' } }, rest)).health).toMatchObject({
      maxErrorRate: 0.3,
      maxResponseMs: 30_000,
      minCalls: 4,
      windowMs: 60_000,
    });
  });

  it('lets monitoring stand without adaptation', async () => {
    const workflow = await parsed({
      tasks: { t: { uses: 'simulate' } },
      performance_monitoring: { sampling_interval: '5s', alert_thresholds: { queue_depth: 3 } },
    });
    expect(workflow.monitoring).toMatchObject({ intervalMs: 5000, thresholds: { queueDepth: 3 } });
    expect(workflow.adaptation).toBeUndefined();
  });
});
