/**
 * The baseline: what XState alone costs for the same shape of work. One collection written as custom logic,
 * which keeps its children in a Map of its own, and a fresh lifecycle machine of five states per task,
 * whose entry action starts a promise. No journal, no permits, no barrier, no memory, no report.
 *
 * @import { ActorLogic, ActorScope, AnyActorRef, Snapshot } from 'xstate'
 */
import { createActor, setup } from 'xstate';

/**
 * @typedef {object} Job
 * @property {number} n
 * @property {number} width tasks at one time
 * @property {(index: number) => unknown} work
 * @property {() => void} done
 */

/** @typedef {{ index: number, job: Job }} TaskInput */
/** @typedef {{ type: 'begin' } | { type: 'settled' } | { type: 'failed' } | { type: 'close' }} TaskEvent */
/** @typedef {{ type: `xstate.done.actor.${string}`, actorId: string } | { type: 'settling', index: number }} PoolEvent */
/** @typedef {Snapshot<undefined> & { job: Job, children: Map<string, AnyActorRef>, next: number, over: number }} PoolSnapshot */

const lifecycle = setup({
  types: /** @type {{ context: TaskInput, events: TaskEvent, input: TaskInput }} */ ({}),
  actions: {
    startWork: ({ context, self }) => {
      Promise.resolve(context.index)
        .then(context.job.work)
        .then(
          () => self.send({ type: 'settled' }),
          () => self.send({ type: 'failed' }),
        );
    },
    tellPool: ({ context, self }) => self._parent?.send({ type: 'settling', index: context.index }),
  },
}).createMachine({
  id: 'task',
  context: ({ input }) => input,
  initial: 'queued',
  states: {
    queued: { on: { begin: 'running' } },
    running: { entry: 'startWork', on: { settled: 'settling', failed: 'failed' } },
    settling: { entry: 'tellPool', on: { close: 'succeeded' } },
    succeeded: { type: 'final' },
    failed: { type: 'final' },
  },
});

/** @type {ActorLogic<PoolSnapshot, PoolEvent, Job>} */
const poolLogic = {
  getInitialSnapshot: (_scope, job) => ({
    status: 'active',
    output: undefined,
    error: undefined,
    job,
    children: new Map(),
    next: 0,
    over: 0,
  }),
  start: (pool, scope) => fill(pool, scope),
  transition: (pool, event, scope) => {
    if (event.type === 'settling') pool.children.get(`t${event.index}`)?.send({ type: 'close' });
    else if ('actorId' in event) leave(pool, event.actorId, scope);
    return pool;
  },
  getPersistedSnapshot: (pool) => pool,
};

/**
 * Runs n tasks and resolves when all have ended.
 * @param {Omit<Job, 'done'>} job
 * @returns {Promise<void>}
 */
export function runBarePool(job) {
  return new Promise((resolve) => {
    createActor(poolLogic, { input: { ...job, done: resolve } }).start();
  });
}

/**
 * @param {PoolSnapshot} pool
 * @param {string} id
 * @param {ActorScope<PoolSnapshot, PoolEvent>} scope
 */
function leave(pool, id, scope) {
  if (!pool.children.delete(id)) return;
  pool.over++;
  if (pool.over === pool.job.n) pool.job.done();
  else fill(pool, scope);
}

/**
 * @param {PoolSnapshot} pool
 * @param {ActorScope<PoolSnapshot, PoolEvent>} scope
 */
function fill(pool, scope) {
  const { job, children } = pool;
  while (pool.next < job.n && children.size < job.width) {
    const index = pool.next++;
    const id = `t${index}`;
    const child = createActor(lifecycle, { parent: scope.self, id, input: { index, job } });
    children.set(id, child);
    child.start();
    child.send({ type: 'begin' });
  }
}
