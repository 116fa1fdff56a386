import { describe, expect, it } from 'vitest';

import { carryOut, outcomes, sim } from '../support/run-harness.ts';

function workflow(tasks: object, rest: object = {}): object {
  return {
    version: 1,
    name: 'expansion',
    defaults: { retry: { max_attempts: 1 } },
    tasks,
    ...rest,
  };
}

const agents = { adder: { uses: 'function', module: 'host:add' } };
const functions = {
  add: ({ input }: { input: unknown }) => (input as number[]).reduce((sum, n) => sum + n, 0),
};

describe('a task that is split', () => {
  it('works on every shard once and joins the outputs in order', async () => {
    const document = workflow(
      {
        list: sim(1, { with: { output: [1, 2, 3, 4, 5, 6, 7] } }),
        sums: {
          agent: 'adder',
          needs: ['list'],
          shards: { of: '${tasks.list.output}', count: 3 },
          with: '${shard.items}',
        },
      },
      { agents },
    );
    const { report, state } = await carryOut({ document, functions });
    expect(state.tasks.get('sums')?.output).toEqual([3, 7, 18]);
    expect(report.tasks.map(({ id }) => id)).toEqual([
      'list',
      'sums',
      'sums[0]',
      'sums[1]',
      'sums[2]',
    ]);
    expect(report.census.succeeded).toBe(5);
  });

  it('asks different questions of one input by aspects, with an agent each', async () => {
    const document = workflow(
      { look: { agent: 'one', aspects: { cost: {}, risk: { agent: 'two' } }, aggregate: 'list' } },
      {
        agents: {
          one: { uses: 'function', module: 'host:one' },
          two: { uses: 'function', module: 'host:two' },
        },
      },
    );
    const { state } = await carryOut({
      document,
      functions: { one: ({ input }) => ['one', input], two: ({ input }) => ['two', input] },
    });
    expect(state.tasks.get('look')?.output).toEqual([
      ['one', 'cost'],
      ['two', 'risk'],
    ]);
  });

  it('joins what succeeded when its barrier tolerates gaps, and counts the run as partial', async () => {
    const document = workflow({
      each: sim(10, {
        for_each: [true, false, false],
        with: { fail: '${item}', output: '${index}' },
        barrier: { min_success: 2 },
      }),
    });
    const { report, state } = await carryOut({ document });
    expect(state.tasks.get('each')).toMatchObject({ outcome: 'succeeded', output: [null, 1, 2] });
    expect(report.status).toBe('partial');
  });

  it('fails with the reason of its barrier when too few members succeed', async () => {
    const document = workflow({
      each: sim(10, { for_each: [true, false], with: { fail: '${item}' } }),
      next: sim(1, { needs: ['each'] }),
    });
    const { report } = await carryOut({ document });
    expect(outcomes(report)).toMatchObject({
      each: 'failed',
      'each[0]': 'failed',
      'each[1]': 'succeeded',
      next: 'skipped',
    });
  });

  it('succeeds with nothing when there is nothing to split', async () => {
    const document = workflow({
      each: sim(10, { for_each: [] }),
      next: sim(1, { needs: ['each'] }),
    });
    const { report, state } = await carryOut({ document });
    expect(state.tasks.get('each')?.output).toEqual([]);
    expect(report.status).toBe('succeeded');
  });

  it('fails, and says so, when it is to split what is no list', async () => {
    const document = workflow({
      a: sim(1, { with: { output: 'text' } }),
      each: sim(1, { needs: ['a'], for_each: '${tasks.a.output}' }),
    });
    const { report } = await carryOut({ document });
    expect(report.tasks.find(({ id }) => id === 'each')).toMatchObject({
      outcome: 'failed',
      reason: 'input_unresolvable',
    });
  });

  it.each([
    ['union', [1, 2, 3]],
    ['intersection', [2]],
    ['concat', [1, 2, 2, 3]],
    [{ frequency: 0.6 }, [{ item: 2, frequency: 1 }]],
  ])('aggregates by %j', async (how, expected) => {
    const document = workflow({
      each: sim(1, {
        for_each: [
          [1, 2],
          [2, 3],
        ],
        with: { output: '${item}' },
        aggregate: how,
      }),
    });
    const { state } = await carryOut({ document });
    expect(state.tasks.get('each')?.output).toEqual(expected);
  });

  it('aggregates by a function of the user, as an attempt of its own', async () => {
    const document = workflow({
      each: sim(1, {
        for_each: [1, 2, 3],
        with: { output: '${item}' },
        aggregate: { function: 'host:total' },
      }),
    });
    const { state } = await carryOut({
      document,
      functions: {
        total: ({ input }) =>
          (input as { outputs: number[] }).outputs.reduce((sum, n) => sum + n, 0),
      },
    });
    expect(state.tasks.get('each')?.output).toBe(6);
    expect(state.tasks.get('each@aggregate')?.outcome).toBe('succeeded');
  });

  it('fails the group when the aggregating function throws', async () => {
    const document = workflow({
      each: sim(1, { for_each: [1], aggregate: { function: 'host:bad' } }),
    });
    const { report } = await carryOut({
      document,
      functions: {
        bad: () => {
          throw new Error('no');
        },
      },
    });
    expect(report.tasks.find(({ id }) => id === 'each')).toMatchObject({
      outcome: 'failed',
      reason: 'aggregate_failed',
    });
  });
});

describe('an async merge', () => {
  it('lets a stream reader start at the first contribution', async () => {
    const document = workflow(
      {
        a: sim(10, { with: { output: 'A' } }),
        b: sim(50, { with: { output: 'B' } }),
        first: sim(1, {
          needs: [{ group: 'm', kind: 'stream' }],
          with: { output: '${groups.m.output}' },
        }),
        all: sim(1, { needs: ['m'], with: { output: '${groups.m.output}' } }),
      },
      { groups: { m: { tasks: ['a', 'b'], mode: 'async_merge' } } },
    );
    const { report, state, records } = await carryOut({ document });
    expect(report.tasks.find(({ id }) => id === 'first')?.started_ms).toBe(10);
    expect(state.tasks.get('first')?.output).toEqual(['A', null]);
    expect(state.tasks.get('all')?.output).toEqual(['A', 'B']);
    const revisions = records
      .filter((record) => record.type === 'contribution.merged')
      .map(({ revision }) => revision);
    expect(revisions).toEqual([1, 2]);
  });
});

describe('checks after completion', () => {
  const review = (verdicts: boolean[]) => {
    let round = 0;
    return { judge: () => ({ accepted: verdicts[round++] ?? true, feedback: `round ${round}` }) };
  };
  const document = (rounds?: number): object =>
    workflow(
      {
        draft: {
          agent: 'writer',
          needs: [{ task: 'review', kind: 'validation' }],
          ...(rounds === undefined ? {} : { max_rounds: rounds }),
        },
        review: { agent: 'judge', needs: ['draft'] },
        publish: sim(1, { needs: ['draft'], with: { output: '${tasks.draft.output}' } }),
      },
      {
        agents: {
          writer: { uses: 'function', module: 'host:write' },
          judge: { uses: 'function', module: 'host:judge' },
        },
      },
    );
  const write = ({ iteration, feedback }: { iteration: number; feedback: unknown }): unknown => ({
    iteration,
    feedback,
  });

  it('sends a task back once, with what the checker said, and lets dependents wait for the accepted output', async () => {
    const { report, state } = await carryOut({
      document: document(),
      functions: { write, ...review([false, true]) },
    });
    expect(report.status).toBe('succeeded');
    expect(state.tasks.get('publish')?.output).toEqual({ iteration: 2, feedback: ['round 1'] });
    expect(report.tasks.find(({ id }) => id === 'review')).toMatchObject({
      outcome: 'succeeded',
      attempts: 2,
    });
  });

  it('starts a checker again in the very turn in which it has spoken', async () => {
    const nothing = workflow(
      {
        draft: sim(1, { for_each: [], needs: [{ task: 'review', kind: 'validation' }] }),
        review: { agent: 'judge', needs: ['draft'] },
      },
      { agents: { judge: { uses: 'function', module: 'host:judge' } } },
    );
    const { report, end } = await carryOut({ document: nothing, functions: review([false, true]) });
    expect(end).toBe('ended');
    expect(report.tasks.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['draft', 0],
      ['review', 2],
    ]);
  });

  it('fails a task that is refused once too often', async () => {
    const { report } = await carryOut({
      document: document(2),
      functions: { write, ...review([false, false, false]) },
    });
    expect(report.tasks.find(({ id }) => id === 'draft')).toMatchObject({
      outcome: 'failed',
      reason: 'validation_rejected',
      iterations: 3,
    });
    expect(outcomes(report)['publish']).toBe('skipped');
  });

  it('accepts when the checker itself fails: validation never blocks', async () => {
    const judge = (): never => {
      throw new Error('broken');
    };
    const { report } = await carryOut({ document: document(), functions: { write, judge } });
    expect(outcomes(report)).toEqual({
      draft: 'succeeded',
      review: 'failed',
      publish: 'succeeded',
    });
  });

  it('lets the members of a group check each other before it is released', async () => {
    const document = workflow(
      { ux: { agent: 'designer' }, arch: { agent: 'architect' }, next: sim(1, { needs: ['g'] }) },
      {
        agents: {
          designer: { uses: 'simulate', with: { duration: 10 } },
          architect: { uses: 'simulate', with: { duration: 20 } },
        },
        groups: {
          g: {
            tasks: ['ux', 'arch'],
            cross_validation: { agents: ['designer', 'architect'], timeout: 1000 },
          },
        },
      },
    );
    const checked = await carryOut({ document });
    expect(outcomes(checked.report)).toMatchObject({
      'ux@architect': 'succeeded',
      'arch@designer': 'succeeded',
    });
    expect(checked.report.tasks.find(({ id }) => id === 'next')?.started_ms).toBe(30);
  });
});
