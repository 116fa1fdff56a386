import { describe, expect, it } from 'vitest';
import { faultText } from '../../src/workflow/fault-text.ts';
import { faultsOf, validated } from './checked.ts';

async function toldOf(text: string): Promise<readonly string[]> {
  return (await validated(text)).faults.map(faultText);
}

const head = 'agents: { worker: { uses: simulate } }\ntasks:\n  flaky:\n    agent: worker\n';

describe('a key that is indented too little', () => {
  it.each([
    'retry: { max_attempts: 3, backoff: fixed, initial: 200ms, budget: 1m }',
    'needs: [a, b]',
    'with: { duration: 100ms, output: x }',
    'timeout: 5s',
    'priority: 7',
    'resources: { cpu: 30 }',
    'barrier: { timeout: 10s }',
    'for_each: "${input.list}"',
  ])('has one fault that says where it belongs: %s', async (line) => {
    const key = line.split(':')[0] ?? '';
    const told = await toldOf(`${head}  ${line}\n`);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^flow\.yaml:5:3: /);
    expect(told[0]).toContain(
      `("${key}" looks like a key of the task above: indent it below "flaky")`,
    );
  });

  it('brings no fault about the task that lacks it', async () => {
    expect(await faultsOf('tasks:\n  flaky:\n  uses: simulate\n  retry: 3\n')).toEqual([
      'TRP_WORKFLOW_INVALID 3:3 tasks.uses',
      'TRP_WORKFLOW_INVALID 4:3 tasks.retry',
    ]);
  });

  it('leaves the other faults of the task above', async () => {
    expect(await faultsOf(`${head}    tiemout: 3s\n  needs: [a]\n`)).toEqual([
      'TRP_WORKFLOW_UNKNOWN_KEY 5:5 tasks.flaky.tiemout',
      'TRP_WORKFLOW_INVALID 6:3 tasks.needs',
    ]);
  });

  it('may lack a task above', async () => {
    const [first] = await toldOf('tasks:\n  uses: simulate\n');
    expect(first).toContain('"uses" looks like a key of a task: write the name of the task above');
  });

  it('is known among agents and groups as well', async () => {
    const text =
      'agents:\n  w:\n  uses: simulate\ntasks: { a: { agent: w } }\ngroups:\n  g:\n    tasks: [a]\n  mode: fork_join\n';
    expect(await toldOf(text)).toEqual([
      'flow.yaml:3:3: "uses" does not describe an agent ("uses" looks like a key of the agent above: indent it below "w")',
      'flow.yaml:8:3: "mode" does not describe a group ("mode" looks like a key of the group above: indent it below "g")',
    ]);
  });

  it('is a name like any other where a task stands behind it', async () => {
    expect(await faultsOf('tasks: { retry: { uses: simulate } }')).toEqual([]);
    expect(await faultsOf('tasks: { retry: { uses: simulate, tiemout: 3s } }')).toEqual([
      'TRP_WORKFLOW_UNKNOWN_KEY 1:35 tasks.retry.tiemout',
    ]);
  });
});
