import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainPlan } from '../../src/planning/explain.ts';
import { readableMs } from '../../src/planning/readable.ts';
import { buildGraph } from '../../src/planning/graph.ts';
import { planWorkflow } from '../../src/planning/plan.ts';
import { explainPairs, maxReasons } from '../../src/planning/reasons.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { acyclicWorkflow } from './random-workflow.ts';

const minute = 60_000;

const design = workflowOf({
  name: 'design',
  tasks: {
    analysis: { agent: 'analyst', estimate: 4 * minute },
    requirements: { agent: 'pm', estimate: 5 * minute, needs: ['analysis'] },
    ux: { agent: 'ux', estimate: 6 * minute, needs: ['requirements'], writes: ['spec'] },
    architecture: {
      agent: 'architect',
      estimate: 8 * minute,
      needs: ['requirements'],
      writes: ['spec'],
    },
    development: { agent: 'developer', needs: ['design'] },
    quality: { agent: 'qa', estimate: 5 * minute, needs: ['development'] },
  },
  groups: { design: ['ux', 'architecture'] },
  resources: { concurrency: 3 },
});

describe('planWorkflow', () => {
  it('tells path, groups, times and slack', () => {
    const plan = planWorkflow(design);
    expect(plan.makespan_ms).toBe(23 * minute);
    expect(plan.critical_path).toEqual([
      'analysis',
      'requirements',
      'architecture',
      'development',
      'quality',
    ]);
    expect(plan.groups.map(({ tasks }) => tasks.length)).toEqual([1, 1, 2, 1, 1]);
    expect(plan.tasks[2]).toEqual({
      id: 'ux',
      start_ms: 9 * minute,
      finish_ms: 15 * minute,
      slack_ms: 2 * minute,
      critical: false,
    });
    expect(plan.conflicts).toMatchObject([
      { key: 'spec', tasks: ['ux', 'architecture'], severity: 'warning' },
    ]);
    expect(plan.bottleneck).toBe('critical_path');
  });

  it('tells every duration that no estimate gives, and why it is taken', () => {
    const workflow = workflowOf({
      tasks: {
        told: { estimate: 1000 },
        hard: { complexity: 3 },
        other: { complexity: 3 },
        odd: { complexity: 2.5, agent: 'known' },
        seen: { agent: 'known' },
        plain: {},
      },
    });
    const history = { known: { count: 3, meanMs: 8000, p90Ms: 9000 } };
    expect(planWorkflow(workflow, { history }).assumptions).toEqual([
      '1m30s each for hard, other: no estimate, complexity high',
      '10 s each for odd: no estimate, as known took in earlier runs, complexity 2.5',
      '8 s each for seen: no estimate, as known took in earlier runs',
      '60 s each for plain: no estimate',
      'every attempt succeeds the first time',
    ]);
  });

  it('counts one task as one', () => {
    const text = explainPlan(planWorkflow(workflowOf({ tasks: { a: { estimate: 1000 } } })));
    expect(text).toContain('Plan of test: 1 task in 1s');
  });

  it('says what it assumes', () => {
    const { assumptions } = planWorkflow(design);
    expect(assumptions[0]).toBe('60 s each for development: no estimate');
    const expand = { kind: 'for_each' as const, of: '${tasks.a.output}' };
    expect(planWorkflow(workflowOf({ tasks: { each: { expand } } })).assumptions.join()).toMatch(
      /one member each for each/,
    );
  });

  it('is plain data and the same for the same seed', () => {
    fc.assert(
      fc.property(acyclicWorkflow(12), fc.nat(), (workflow, seed) => {
        const plan = planWorkflow(workflow, { seed });
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
        expect(planWorkflow(workflow, { seed })).toEqual(plan);
      }),
      { numRuns: 30 },
    );
  });

  it('plans 2,000 tasks with several needs each under limits', () => {
    const tasks = Array.from({ length: 2000 }, (_, at) => {
      const needs = [7, 13, 40].map((back) => at - back - (at % 5)).filter((from) => from >= 0);
      return [
        `t${at}`,
        {
          estimate: 1000 + ((at * 7919) % 9000),
          needs: needs.map((from) => `t${from}`),
          demand: { cpu: 1 + (at % 9) },
        },
      ];
    });
    const plan = planWorkflow(
      workflowOf({ tasks: Object.fromEntries(tasks), resources: { cpu: 40, concurrency: 16 } }),
    );
    expect(plan.tasks.length).toBe(2000);
    expect(plan.makespan_ms).toBeGreaterThanOrEqual(plan.lower_bound_ms);
    expect(plan.makespan_ms).toBeLessThan(1.1 * plan.lower_bound_ms);
  });
});

describe('explainPairs', () => {
  const reasonsOf = (input: Parameters<typeof workflowOf>[0]) =>
    planWorkflow(workflowOf(input)).reasons;

  it('calls a pair parallel that nothing keeps apart', () => {
    expect(reasonsOf({ tasks: { a: {}, b: {} } })).toMatchObject([
      { tasks: ['a', 'b'], mode: 'parallel', because: 'independent' },
    ]);
  });

  it('names the resource, the agent or the limit that keeps two apart', () => {
    const two = (task: object) => ({ a: task, b: task });
    expect(reasonsOf({ tasks: two({ demand: { engine: 1 } }) })).toMatchObject([
      { mode: 'sequential', because: 'resource', detail: expect.stringContaining('engine') },
    ]);
    const agents = { solo: { limits: { concurrency: 1 } } };
    expect(reasonsOf({ tasks: two({ agent: 'solo' }), agents })).toMatchObject([
      { because: 'resource', detail: expect.stringContaining('solo') },
    ]);
    expect(reasonsOf({ tasks: two({}), resources: { concurrency: 1 } })).toMatchObject([
      { because: 'concurrency' },
    ]);
  });

  it('asks for an order between writers whose key rejects', () => {
    const writes = { writes: ['k'] };
    const reasons = reasonsOf({ tasks: { a: writes, b: writes }, memory: { k: 'reject' } });
    expect(reasons).toMatchObject([
      { mode: 'sequential', because: 'write_conflict', detail: expect.stringContaining('k') },
    ]);
  });

  it('tells direct dependencies by their kind, those on groups too', () => {
    const tasks = {
      a: {},
      b: { needs: ['g'] },
      c: { needs: [{ on: 'g', kind: 'stream' as const }] },
      d: { validates: 'a' },
    };
    const kinds = reasonsOf({ tasks, groups: { g: ['a'] } }).map(
      ({ tasks: pair, because }) => `${pair.join('>')} ${because}`,
    );
    expect(kinds).toEqual(expect.arrayContaining(['g>b data', 'a>c stream', 'a>d validation']));
  });

  it('lists a bounded number of pairs and counts the rest', () => {
    const tasks = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`t${at}`, {}]));
    const { listed, omitted } = explainPairs(buildGraph(workflowOf({ tasks })), []);
    expect(listed.length).toBe(maxReasons);
    expect(listed.length + (omitted ?? NaN)).toBe((100 * 99) / 2);
  });

  it('says that it did not count where there are too many tasks', () => {
    const tasks = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`t${at}`, {}]));
    const { listed, omitted } = explainPairs(buildGraph(workflowOf({ tasks })), []);
    expect([listed.length, omitted]).toEqual([maxReasons, null]);
  });
});

describe('explainPlan', () => {
  const text = explainPlan(planWorkflow(design));

  it('tells what is parallel, what is not and why, the critical path and the bottleneck', () => {
    expect(text).toContain('6 tasks in 23m00s (one after the other: 29m00s)');
    expect(text).toContain('analysis -> requirements -> architecture -> development -> quality');
    expect(text).toContain('group_3 (design): ux, architecture - in parallel');
    expect(text).toContain('Bottleneck: the critical path');
    expect(text).toMatch(/In parallel\n {2}ux \| architecture: independent; both write spec/);
    expect(text).toMatch(/Not in parallel[^]*development needs the output of group design/);
    expect(text).toContain('warning: ux and architecture write spec');
  });

  it('draws a chart of at most 60 columns with one line per task', () => {
    const lines = text.split('\n').filter((line) => line.includes(' |') && /[#=]$/.test(line));
    expect(lines.length).toBe(6);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('keeps the chart within its columns for any workflow, long names included', () => {
    fc.assert(
      fc.property(acyclicWorkflow(15), (workflow) => {
        const chart = explainPlan(planWorkflow(workflow, { budget: 1 }))
          .split('\n')
          .filter((line) => /^\S+ *\|[ #=]+$/.test(line));
        for (const line of chart) expect(line.length).toBeLessThanOrEqual(60);
      }),
      { numRuns: 50 },
    );
  });

  it('stays short for a wide workflow', () => {
    const tasks = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`t${at}`, {}]));
    expect(explainPlan(planWorkflow(workflowOf({ tasks }))).split('\n').length).toBeLessThan(120);
  });

  it('writes durations as people do', () => {
    const texts = [0, 850, 12_500, 200_000, 7_500_000].map(readableMs);
    expect(texts).toEqual(['0ms', '850ms', '12.5s', '3m20s', '2h05m']);
  });
});
