import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createTroupe } from '../../src/runtime/troupe.ts';

const folder = join(import.meta.dirname, '../../config/workflows');
const started = createTroupe({});

afterAll(async () => (await started).close());

async function run(name: string) {
  const troupe = await started;
  return (await troupe.run(join(folder, `${name}.yaml`), {}, { seed: 1 })).outcome();
}

describe('example workflows, carried out', () => {
  it('says hello by two of three and joins them', async () => {
    const report = await run('hello');
    expect(report).toMatchObject({ status: 'partial', census: { succeeded: 3, failed: 1 } });
    expect(report.outputs).toMatchObject({
      greetings: ['Hello from a steady worker', 'Hello from the second attempt', null],
    });
  });

  it('carries out all 22 workers in spite of failed attempts', async () => {
    const report = await run('six-tiers');
    expect(report).toMatchObject({ status: 'succeeded', census: { succeeded: 22 } });
    expect(report.tasks.find(({ id }) => id === 'W11')?.attempts).toBe(3);
    expect(report.outputs).toMatchObject({
      tier_3_census: { succeeded: 5 },
      delivery: 'delivered',
    });
  });

  it('designs a product, each designer checked by the other', async () => {
    const report = await run('product-design');
    expect(report).toMatchObject({ status: 'succeeded', census: { succeeded: 8 } });
    expect(report.outputs).toMatchObject({ verdict: 'ship it' });
  });

  it('joins both chains of the diamond', async () => {
    expect(await run('diamond')).toMatchObject({
      status: 'succeeded',
      outputs: { join: 'joined' },
    });
  });

  it('hands failed work on, does less of it, and asks a person', async () => {
    const troupe = await started;
    const handle = await troupe.run(join(folder, 'recovery.yaml'), {}, { seed: 1 });
    for await (const event of handle.events()) {
      if (event.type === 'escalation.opened' && event.choices)
        await handle.answer(event.seq, { choice: 'value', value: 'approved' });
    }
    const report = await handle.outcome();
    expect(report).toMatchObject({ status: 'succeeded', outputs: { release: 'approved' } });
    expect(report.tasks.map(({ attempts }) => attempts)).toEqual([3, 3, 2, 1]);
  });
});
