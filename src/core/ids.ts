import { createHash, hash, randomBytes } from 'node:crypto';

/** Makes the names of new runs and nodes. A simulated run gets names from its seed instead. */
export interface Ids {
  /** A new run id, sortable by time: `run-` and 16 characters. */
  run(nowMs: number): string;
  /** A new node id: `node-` and 8 characters. */
  node(): string;
}

/** Ids that no other process makes. */
export const randomIds: Ids = {
  run: (nowMs) =>
    `run-${nowMs.toString(36).padStart(9, '0')}${randomBytes(4).toString('hex').slice(0, 7)}`,
  node: () => `node-${randomBytes(4).toString('hex')}`,
};

/** Ids that follow from a text alone, for runs under the simulated clock. */
export function derivedIds(text: string): Ids {
  const digest = createHash('sha256').update(text).digest('hex');
  let count = 0;
  return {
    run: () => `run-${digest.slice(0, 12)}${(count++).toString().padStart(4, '0')}`,
    node: () => `node-${digest.slice(12, 20)}`,
  };
}

/**
 * The idempotency key of a piece of work: run, task and iteration, never attempt or epoch, so that a
 * retry and a resumed run present the same key to the outside.
 */
export function operationId(runId: string, taskId: string, iteration: number): string {
  return hash('sha256', `${runId}\n${taskId}\n${iteration}`).slice(0, 32);
}
