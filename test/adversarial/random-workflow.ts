import type { Dice } from '../../src/simulation/dice.ts';

/**
 * Documents by chance: a few tasks with needs of every kind, groups with barriers of every kind, splits,
 * checkers, locks, limits and deadlines. Times are small and often equal, so that events meet. A document
 * may contradict itself; whoever uses one leaves out those that are refused.
 */

/** A document as far as the generator and the laws look into it. */
export interface RandomDocument {
  readonly version: 1;
  readonly name: string;
  readonly agents: { readonly [id: string]: RandomAgent };
  readonly tasks: { readonly [id: string]: RandomTask };
  readonly groups?: { readonly [id: string]: RandomGroup };
  readonly resources?: {
    readonly concurrency?: number | 'auto';
    readonly cpu?: number;
    readonly cpu_oversubscription?: number;
  };
  readonly deadline?: number;
  readonly defaults?: object;
  readonly memory?: object;
  readonly providers?: object;
  readonly budget?: object;
  readonly schedule?: object;
}

/** An agent as far as the generator and the laws look into it. */
export interface RandomAgent {
  readonly uses: 'function';
  readonly module: string;
  readonly owns?: readonly string[];
  readonly instances?: number;
  readonly limits?: { readonly concurrency: number };
  readonly provider?: string;
  /** Who it is, for agents that others give work to. */
  readonly with?: { readonly me: string };
}

/** A task as far as the generator and the laws look into it. */
export interface RandomTask {
  needs?: object[];
  max_rounds?: number;
  readonly agent: string;
  readonly with: Script;
  readonly barrier?: RandomBarrier;
  readonly exclusive?: readonly string[];
  readonly locks?: readonly { readonly name: string; readonly mode: string }[];
  readonly resources?: { readonly cpu: number };
  readonly not_before?: number;
  readonly writes?: readonly string[];
  /** What it is split by. */
  readonly for_each?: unknown;
  readonly shards?: unknown;
  readonly aspects?: unknown;
  readonly aggregate?: unknown;
}

interface RandomGroup {
  readonly tasks: string[];
  readonly barrier?: RandomBarrier;
}

interface RandomBarrier {
  readonly on_failure?: string;
}

/** What a body does with its attempt; see bodies.ts. Times in milliseconds. */
export interface Script {
  readonly ms: number;
  /** How long it lives on after an abort. */
  readonly linger: number;
  /** Attempts that fail. */
  readonly fail?: readonly number[];
  /** Its failures are of the kind that is not tried again. */
  readonly permanent?: true;
  /** After an abort it ends with a result all the same. */
  readonly lateResult?: true;
  /** When it tells of progress. */
  readonly progress?: number;
  /** Journals a step first. */
  readonly step?: true;
  /** Writes to memory. */
  readonly write?: true;
  /** Rounds in which a checker refuses. */
  readonly reject?: readonly number[];
  /** Writes to the key of this way of merging, which others write as well. */
  readonly shared?: string;
  /** Calls its provider first. */
  readonly calls?: ScriptedCalls;
}

/** Calls to a provider, one after another, of 10 ms each. */
export interface ScriptedCalls {
  readonly count: number;
  /** Estimated and used by each. */
  readonly tokens: number;
  /** So many times the provider refuses before it lets the first call through. */
  readonly refused: number;
  /** Goes on without an answer when a call is not let out at all. */
  readonly shrug?: boolean;
}

/** A document by chance. */
export function randomDocument(dice: Dice): RandomDocument {
  const graph = new GraphDraw(dice);
  for (let left = dice.between(1, 6); left > 0; left--) graph.addTask(left === 1);
  graph.addCheckers();
  return {
    version: 1,
    name: 'fuzz',
    // Killed far more often than any task deserves to be suspected for.
    defaults: { retry: { quarantine_after: 1000 } },
    agents: {
      worker: {
        uses: 'function',
        module: 'host:worker',
        owns: ['worker.*'],
        ...dice.maybe(0.2, () => ({ limits: { concurrency: dice.between(1, 2) } })),
      },
      checker: { uses: 'function', module: 'host:checker' },
    },
    tasks: graph.tasks,
    ...(Object.keys(graph.groups).length > 0 ? { groups: graph.groups } : {}),
    ...dice.maybe(0.5, () => ({ resources: { concurrency: dice.between(1, 3) } })),
    ...dice.maybe(0.1, () => ({ deadline: dice.pick([50, 200, 500]) })),
  };
}

/** The tasks and groups of one document while they are drawn. Needs point back, so there is no cycle. */
class GraphDraw {
  readonly tasks: { [id: string]: RandomTask } = {};
  readonly groups: { [id: string]: RandomGroup } = {};
  private readonly dice: Dice;
  /** What later tasks may need: tasks and closed groups. */
  private readonly known: string[] = [];
  private open: { readonly id: string; readonly tasks: string[] } | undefined;
  private checkers = 0;

  constructor(dice: Dice) {
    this.dice = dice;
  }

  addTask(isLast: boolean): void {
    const { dice } = this;
    const index = Object.keys(this.tasks).length;
    const id = `t${index}`;
    const needs = this.known.filter(() => dice.chance(0.35)).map((on) => this.needOf(on));
    this.tasks[id] = {
      agent: 'worker',
      with: script(dice),
      ...limits(dice),
      ...dice.maybe(0.3, () => split(dice)),
      ...(needs.length > 0 ? { needs } : {}),
      ...dice.maybe(0.08, () => ({ when: '${input.no}' })),
    } as RandomTask;
    this.known.push(id);
    this.joinGroup(id, { index, isLast });
  }

  /** Some tasks are judged by one or two others, which may need more than what they judge. */
  addCheckers(): void {
    const { dice } = this;
    for (const [id, task] of Object.entries(this.tasks)) {
      if (!dice.chance(0.2)) continue;
      for (let count = dice.between(1, 2); count > 0; count--) this.addChecker(id, task);
    }
  }

  private addChecker(id: string, task: RandomTask): void {
    const { dice } = this;
    const checker = `c${this.checkers++}`;
    task.needs = [...(task.needs ?? []), { task: checker, kind: 'validation' }];
    task.max_rounds = dice.between(0, 2);
    const others = Object.keys(this.tasks).filter((other) => other !== id && other.startsWith('t'));
    const [first, ...rest] = others;
    const more = first !== undefined && dice.chance(0.3) ? [dice.pick([first, ...rest])] : [];
    const reject = dice.pick<readonly number[]>([[], [1], [1, 2], [1, 2, 3]]);
    this.tasks[checker] = {
      agent: 'checker',
      needs: [id, ...more],
      with: { ...script(dice), reject },
      retry: dice.between(1, 2),
    } as unknown as RandomTask;
  }

  private needOf(on: string): object | string {
    const { dice } = this;
    if (on.startsWith('g')) return { group: on, ...dice.maybe(0.3, () => ({ kind: 'stream' })) };
    return dice.chance(0.15) ? { task: on, kind: 'context' } : on;
  }

  private joinGroup(task: string, { index, isLast }: { index: number; isLast: boolean }): void {
    const { dice } = this;
    if (!this.open && dice.chance(0.5)) this.open = { id: `g${index}`, tasks: [] };
    if (!this.open) return;
    this.open.tasks.push(task);
    if (!dice.chance(0.35) && !isLast) return;
    const { id, tasks } = this.open;
    this.groups[id] = group(dice, tasks);
    this.known.push(id);
    this.open = undefined;
  }
}

function script(dice: Dice): Script {
  return {
    ms: dice.pick([0, 5, 10, 20, 60, 150, 400]),
    linger: dice.pick([0, 0, 5, 30, 120]),
    ...dice.maybe(0.25, () => ({ fail: dice.pick([[1], [1, 2], [1, 2, 3]]) })),
    ...dice.maybe(0.15, () => ({ permanent: true })),
    ...dice.maybe(0.25, () => ({ lateResult: true })),
    ...dice.maybe(0.3, () => ({ progress: dice.pick([3, 12]) })),
    ...dice.maybe(0.2, () => ({ step: true })),
    ...dice.maybe(0.2, () => ({ write: true })),
  };
}

function limits(dice: Dice): object {
  const retry = (): object => ({
    max_attempts: dice.between(1, 3),
    initial: dice.pick([1, 10, 40]),
    backoff: 'fixed',
    jitter: 0,
  });
  return {
    ...dice.maybe(0.2, () => ({ timeout: dice.pick([10, 30, 80]) })),
    ...dice.maybe(0.12, () => ({ deadline: dice.pick([20, 60, 200]) })),
    ...dice.maybe(0.5, () => ({ retry: retry() })),
    ...dice.maybe(0.15, () => ({ default: 'D' })),
    ...dice.maybe(0.15, () => ({ exclusive: ['lock'] })),
  };
}

function split(dice: Dice): object {
  const into = dice.pick<() => object>([
    () => ({ aspects: ['x', 'y', 'z'].slice(0, dice.between(1, 3)) }),
    () => ({ for_each: '${input.items}' }),
    () => ({ shards: { of: '${input.items}', count: dice.between(1, 3) } }),
  ]);
  return {
    ...into(),
    ...dice.maybe(0.6, () => ({ barrier: barrier(dice, 3) })),
    ...dice.maybe(0.4, () => ({ aggregate: dice.chance(0.6) ? aggregate : 'list' })),
  };
}

const aggregate = { function: 'host:aggregate' };

function group(dice: Dice, tasks: string[]): RandomGroup {
  const [first = '', ...rest] = tasks;
  return {
    tasks,
    barrier: {
      ...barrier(dice, tasks.length),
      ...dice.maybe(0.15, () => ({ required: [dice.pick([first, ...rest])] })),
    },
    ...dice.maybe(0.3, () => ({ mode: 'async_merge' })),
    ...dice.maybe(0.3, () => ({ aggregate })),
    ...dice.maybe(0.2, () => ({ critical: false })),
  };
}

function barrier(dice: Dice, members: number): RandomBarrier {
  const onTimeout = (): string | string[] =>
    dice.pick<string | string[]>([
      'extend',
      'proceed_with_available',
      'abort_and_fallback',
      'fail',
      ['extend', 'proceed_with_available'],
      ['extend', 'abort_and_fallback'],
      ['proceed_with_available', 'abort_and_fallback'],
    ]);
  const onFailure = (): string => dice.pick(['retry_failed_worker', 'continue', 'fail_fast']);
  return {
    ...dice.maybe(0.5, () => ({ type: 'smart' })),
    ...dice.maybe(0.3, () => ({ expected: dice.between(1, Math.max(1, members)) })),
    ...dice.maybe(0.6, () => ({ min_success: dice.between(0, members) })),
    ...dice.maybe(0.6, () => ({ timeout: dice.pick([15, 40, 100, 250]) })),
    ...dice.maybe(0.6, () => ({ on_timeout: onTimeout() })),
    ...dice.maybe(0.4, () => ({
      extension: { by: dice.pick([20, 80]), max: dice.between(1, 2) },
    })),
    ...dice.maybe(0.5, () => ({ on_failure: onFailure() })),
  };
}
