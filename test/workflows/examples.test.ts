import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadWorkflow, validateDocument } from '../../src/workflow/validate.ts';

const folder = join(import.meta.dirname, '../../config/workflows');
const documents = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

function load(name: string) {
  return loadWorkflow(join(folder, `${name}.yaml`));
}

describe('example workflows', () => {
  it.each(documents)('%s has neither faults nor warnings', async (name) => {
    const { faults, warnings } = await validateDocument({ path: join(folder, name) });
    expect([...faults, ...warnings]).toEqual([]);
  });
});

describe('six tiers', () => {
  it('has the workers W01 to W22', async () => {
    const { tasks } = await load('six-tiers');
    expect(tasks.map(({ id }) => id)).toEqual(
      Array.from({ length: 22 }, (_, index) => `W${String(index + 1).padStart(2, '0')}`),
    );
  });

  it('joins tier 3 by a barrier of five and gives it to W14', async () => {
    const { groups, tasks } = await load('six-tiers');
    const tier = groups.find(({ id }) => id === 'tier-3');
    expect(tier?.members).toEqual(['W09', 'W10', 'W11', 'W12', 'W13']);
    expect(tier?.barrier).toMatchObject({
      type: 'count_down',
      expected: 5,
      timeoutMs: 3_600_000,
      onTimeout: ['proceed_with_available'],
      onFailure: 'retry_failed_worker',
    });
    expect(tasks.find(({ id }) => id === 'W14')?.needs).toContainEqual({
      on: 'tier-3',
      target: 'group',
      kind: 'data',
    });
  });

  it('merges tiers 2 and 4 as results come', async () => {
    const { groups } = await load('six-tiers');
    expect(groups.map(({ id, mode }) => [id, mode])).toEqual([
      ['tier-2', 'async_merge'],
      ['tier-3', 'fork_join'],
      ['tier-4', 'async_merge'],
    ]);
  });
});

describe('product design', () => {
  it('designs in a group with the limits of its source', async () => {
    const { groups, resources } = await load('product-design');
    expect(groups[0]).toMatchObject({ id: 'design', members: ['ux', 'architecture'] });
    expect(groups[0]?.barrier).toMatchObject({
      type: 'smart',
      minSuccess: { count: 1 },
      timeoutMs: 600_000,
      onTimeout: ['extend', 'proceed_with_available'],
      extension: { byMs: 300_000, max: 1 },
    });
    expect(resources.concurrency).toBe(3);
    expect(resources.capacity).toMatchObject({ cpu: 120, memory: 100, template_engine: 3 });
  });

  it('lets the designers check each other', async () => {
    const { groups, tasks } = await load('product-design');
    const checks = tasks.filter(({ generated }) => generated);
    expect(groups[0]?.validators).toEqual(checks.map(({ id }) => id));
    expect(
      checks.map(({ agent, validates, timeoutMs }) => ({ agent, validates, timeoutMs })),
    ).toEqual([
      { agent: 'architect', validates: 'ux', timeoutMs: 180_000 },
      { agent: 'ux_expert', validates: 'architecture', timeoutMs: 180_000 },
    ]);
  });

  it('plans with the estimates of its source', async () => {
    const { tasks } = await load('product-design');
    const minutes = tasks
      .filter(({ generated }) => !generated)
      .map(({ id, estimate }) => [
        id,
        (estimate?.midMs ?? 0) / 60_000,
        (estimate?.highMs ?? 0) / 60_000,
      ]);
    expect(minutes).toEqual([
      ['analysis', 4, 5],
      ['requirements', 5, 6],
      ['ux', 7, 8],
      ['architecture', 7, 8],
      ['implementation', 10, 12],
      ['quality', 5, 6],
    ]);
  });
});
