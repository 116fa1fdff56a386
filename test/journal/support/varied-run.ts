import type { HarnessOptions } from '../../support/run-harness.ts';
import { sim } from '../../support/run-harness.ts';

/** A run whose journal holds most of what there is: groups, splits, retries, checks, steps, memory, a conflict. */
export const everyRecordKind: HarnessOptions = {
  document: {
    version: 1,
    name: 'varied',
    defaults: { retry: { max_attempts: 3, backoff: 'fixed', initial: 7, jitter: 0 } },
    memory: { keys: { 'board.*': { merge: 'union' } } },
    agents: {
      note: { uses: 'function', module: 'host:note', owns: ['board.*'] },
      stepper: { uses: 'function', module: 'host:steps' },
      judge: { uses: 'function', module: 'host:judge' },
    },
    tasks: {
      list: sim(5, { with: { output: [1, 2, 3] } }),
      each: sim(10, {
        needs: ['list'],
        for_each: '${tasks.list.output}',
        with: { output: '${item}', fail: [1] },
      }),
      gone: sim(10, { with: { fail: true }, retry: 1 }),
      quick: sim(20, { with: { output: 'quick' } }),
      lost: sim(1, { needs: ['gone'] }),
      one: { agent: 'note', needs: ['list'] },
      two: { agent: 'note', needs: ['list'] },
      draft: { agent: 'note', needs: ['each', { task: 'review', kind: 'validation' }] },
      review: { agent: 'judge', needs: ['draft'] },
      steps: { agent: 'stepper', needs: ['quick'] },
      off: sim(1, { needs: ['list'], when: '${tasks.list.output.length} > 9' }),
    },
    groups: {
      both: { tasks: ['gone', 'quick'], barrier: { min_success: 1, timeout: 100 } },
    },
  },
  functions: {
    note: ({ memory, task }) => {
      memory.set('board.all', [task]);
      return { by: task };
    },
    judge: ({ iteration }) => ({ accepted: iteration > 1 }),
    steps: async ({ step }) => ({ value: await step('toString', async () => ({ done: true })) }),
  },
};
