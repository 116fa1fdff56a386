import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planWorkflow } from '../../src/planning/plan.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { loadWorkflow } from '../../src/workflow/validate.ts';
import { taskOf, workflowOf } from '../workflow/checked.ts';

const folder = join(import.meta.dirname, '../../config/workflows');
const started = createTroupe({});

afterAll(async () => (await started).close());

describe('the plan of simulated agents', () => {
  it.each([
    ['{ estimate: 2s, with: { duration: 100ms } }', 2000],
    ['{ with: { duration: 100ms } }', 100],
    ['{ with: { duration: 250 } }', 250],
    ['{ with: { output: x } }', 70],
    ['{}', 70],
    ['{ with: { duration: "${input.d}" } }', undefined],
    ['{ agent: real, with: { duration: 100ms } }', undefined],
  ])('goes by the estimate, else by the written duration: %s', async (task, expectedMs) => {
    const workflow = await workflowOf(`
defaults: { agent: w }
agents:
  w: { uses: simulate, with: { duration: 70ms } }
  real: { module: "host:x", with: { duration: 70ms } }
tasks: { a: ${task} }`);
    expect(taskOf(workflow, 'a').estimate?.midMs).toBe(expectedMs);
  });

  it('is what a simulated run takes: diamond', async () => {
    const path = join(folder, 'diamond.yaml');
    const plan = planWorkflow(await loadWorkflow(path));
    const run = await (await started).run(path, {}, { simulate: true });
    const { tasks } = await run.outcome();
    expect(plan.makespan_ms).toBe(110);
    expect(Math.max(...tasks.map(({ finished_ms }) => finished_ms ?? 0))).toBe(110);
  });

  it('knows every task of hello without a guess', async () => {
    const plan = planWorkflow(await loadWorkflow(join(folder, 'hello.yaml')));
    expect(plan.makespan_ms).toBe(500);
    expect(plan.assumptions).toEqual(['every attempt succeeds the first time']);
  });
});
