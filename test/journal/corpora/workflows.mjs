// @ts-nocheck: it runs against releases whose types are not here.
/** What the corpora are made from: between them these runs write every type of record that a version knows. */

const sim = (duration, rest = {}) => {
  const { with: extra = {}, ...others } = rest;
  return { uses: 'simulate', with: { duration, ...extra }, ...others };
};

/** Functions that agents name as `host:NAME`. */
export const functions = {
  note: ({ memory, task }) => {
    memory.set('board.all', { from: task, text: 'é'.repeat(20) });
    return { by: task, bytes: new Uint8Array([0, 255]) };
  },
  judge: ({ iteration }) => ({ accepted: iteration > 1, feedback: 'once more' }),
  steps: async ({ step, attempt }) => {
    const first = await step('first', () => 'one');
    if (attempt === 1) throw new Error('once');
    return [first, await step('second', () => ({ two: 2 }))];
  },
  spend: async ({ spend }) => {
    spend?.({ input_tokens: 60, output_tokens: 60, cost: 0 });
    return null;
  },
};

const varied = {
  version: 1,
  name: 'varied',
  defaults: { retry: { max_attempts: 3, backoff: 'fixed', initial: 3, jitter: 0 } },
  memory: { keys: { 'board.*': { merge: 'manual' } } },
  agents: {
    note: { uses: 'function', module: 'host:note', owns: ['board.*'] },
    stepper: { uses: 'function', module: 'host:steps' },
    judge: { uses: 'function', module: 'host:judge' },
  },
  tasks: {
    list: sim(2, { with: { output: [1, 2, 3] } }),
    each: sim(3, {
      needs: ['list'],
      for_each: '${tasks.list.output}',
      with: { output: '${item}', fail: [1] },
    }),
    gone: sim(3, { with: { fail: true }, retry: 1 }),
    slow: sim(120, {}),
    quick: sim(5, { with: { output: 'quick' } }),
    lost: sim(1, { needs: ['gone'] }),
    merge_a: sim(4, { with: { output: 'a' } }),
    merge_b: sim(8, { with: { output: 'b' } }),
    one: { agent: 'note', needs: ['list'] },
    two: { agent: 'note', needs: ['list'] },
    draft: { agent: 'note', needs: ['each', { task: 'review', kind: 'validation' }] },
    review: { agent: 'judge', needs: ['draft'] },
    steps: { agent: 'stepper', needs: ['quick'] },
    off: sim(1, { needs: ['list'], when: '${tasks.list.output.length} > 9' }),
  },
  groups: {
    branches: {
      tasks: ['gone', 'slow', 'quick'],
      barrier: {
        min_success: 1,
        timeout: '40ms',
        on_timeout: ['extend', 'proceed_with_available'],
      },
    },
    merged: { tasks: ['merge_a', 'merge_b'], mode: 'async_merge' },
    notes: { tasks: ['one', 'two'] },
  },
};

/** Carries a document out, and again in another process's place, and answers what is open. */
async function twice({ dataDir, createTroupe, functions: known }) {
  const first = await createTroupe({ dataDir, functions: known, control: false });
  const handle = await first.run(varied, {}, { seed: 7 });
  await handle.outcome();
  await first.close();
  const second = await createTroupe({ dataDir, functions: known, control: false });
  const again = await second.resume(handle.id);
  await again.outcome();
  const open = (await second.records(handle.id)).find((record) => record.open !== undefined);
  if (open) await second.resolveConflict(handle.id, open.seq, { choice: 'mine', by: 'somebody' });
  await second.close();
}

async function cancelled({ dataDir, createTroupe }) {
  const troupe = await createTroupe({ dataDir, control: false });
  const document = { version: 1, name: 'cancelled', tasks: { a: sim(60_000), b: sim(1) } };
  const handle = await troupe.run(document, {}, { seed: 7 });
  for await (const { type } of handle.events()) if (type === 'task.succeeded') break;
  await handle.cancel('somebody');
  await troupe.close();
}

const error = { code: 'TRP_ATTEMPT_FAILED', message: 'it failed', errorClass: 'transient' };

/** Types that hardly ever come of a workflow, written by hand behind a start. */
const rare = [
  { type: 'lease.taken', epoch: 1, node: 'n' },
  { type: 'group.opened', group: 'g', view: 0 },
  { type: 'task.started', task: 'a', attempt: 1, iteration: 1 },
  { type: 'task.started', task: 'b', attempt: 1, iteration: 1 },
  { type: 'barrier.armed', group: 'g', deadline: 5_000 },
  { type: 'barrier.extended', group: 'g', deadline: 9_000, members: ['a'] },
  { type: 'barrier.fell_back', group: 'g', members: ['b'] },
  {
    type: 'attempt.spent',
    task: 'a',
    attempt: 1,
    agent: 'x',
    input_tokens: 10,
    output_tokens: 20,
    cost: 0.5,
  },
  { type: 'budget.exhausted', cap: 'tokens', agent: 'x' },
  { type: 'budget.exhausted', cap: 'cost' },
  {
    type: 'policy.adapted',
    policy: 'concurrency',
    of: '',
    from: null,
    to: 3,
    reason: 'because',
    measured: { share: 0.5 },
  },
  {
    type: 'policy.adapted',
    policy: 'timeouts',
    of: '',
    from: 1,
    to: 2,
    reason: 'because',
    measured: {},
  },
  { type: 'task.succeeded', task: 'a', attempt: 1, output: { n: 1 } },
  { type: 'contribution.merged', group: 'g', member: 'a', revision: 0 },
  { type: 'attempt.failed', task: 'b', attempt: 1, error, retryAt: 4_000 },
  { type: 'task.started', task: 'b', attempt: 2, iteration: 1 },
  { type: 'task.ended', task: 'b', outcome: 'failed', reason: 'attempts_exhausted', error },
  { type: 'result.late', task: 'b', attempt: 2 },
  {
    type: 'barrier.released',
    group: 'g',
    outcome: 'partial',
    reason: 'gaps_tolerated',
    timedOut: true,
  },
  { type: 'workspace.merged', unit: 'g', into: '/somewhere', files: 3 },
  { type: 'workspace.merged', unit: 'a', into: '/somewhere', files: 0, error },
];

async function byHand({ dataDir, createTroupe, openFileStore }) {
  const document = {
    version: 1,
    name: 'rare',
    agents: { x: { uses: 'simulate' } },
    tasks: { a: { agent: 'x' }, b: { agent: 'x' } },
    groups: { g: { tasks: ['a', 'b'] } },
  };
  const troupe = await createTroupe();
  const handle = await troupe.run(document, {}, { seed: 7 });
  const [start] = await troupe.records(handle.id);
  await handle.outcome();
  await troupe.close();
  const store = await openFileStore({ dataDir, level: 'process', now: () => 1 });
  const owned = await store.create(handle.id);
  const records = [start, ...rare].map((body, index) => ({
    ...body,
    seq: index + 1,
    at: 1_000 + index,
  }));
  await new Promise((done) => owned.append(records, done));
  await store.close();
}

export const workflows = [
  { name: 'varied', carryOut: twice },
  { name: 'cancelled', carryOut: cancelled },
  { name: 'rare', carryOut: byHand },
];
