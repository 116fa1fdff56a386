import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { toPlain } from '../../core/plain.ts';
import { seededRandom } from '../../core/random.ts';
import { AbortWatch } from './abort-watch.ts';
import { attemptError } from './attempt-error.ts';
import type {
  AttemptPort,
  AttemptRequest,
  AttemptResult,
  Behaviour,
  TaskFunction,
} from './behaviour.ts';
import { AttemptContext } from './context.mjs';
import { loadFunction } from './module.mjs';

/** What function agents of this process need. */
export interface FunctionBehaviourOptions {
  readonly clock: Clock;
  /** Functions that a document names as `host:NAME`. */
  readonly functions: { readonly [name: string]: TaskFunction };
}

const hostPrefix = 'host:';
const tools = { plain: toPlain, random: seededRandom };

/**
 * Functions called in this process. A function that returns or settles without waiting never pays for a
 * signal. After an abort the function has `limits.killAfterMs` to end; then it is abandoned: the attempt
 * rejects with the signal's reason, and whatever the function still does is ignored.
 * Nothing here can end an endless loop: that is what `isolate` is for.
 */
export function createFunctionBehaviour(options: FunctionBehaviourOptions): Behaviour {
  return new FunctionBehaviour(options);
}

/** Invariant: a module and export that loaded is not loaded again; one that failed is forgotten. */
class FunctionBehaviour implements Behaviour {
  private readonly options: FunctionBehaviourOptions;
  private readonly loaded = new Map<string, TaskFunction | Promise<TaskFunction>>();

  constructor(options: FunctionBehaviourOptions) {
    this.options = options;
  }

  async execute(request: AttemptRequest, port: AttemptPort): Promise<AttemptResult> {
    const context = new AttemptContext(request, port, tools);
    const work = this.call(request, context);
    try {
      if (await settlesSoon(work)) return await work;
      return await this.untilAbandoned(work, context, { request, port });
    } catch (thrown) {
      throw attemptError(thrown, this.options.clock.now());
    } finally {
      context.end();
    }
  }

  private async call(request: AttemptRequest, context: AttemptContext): Promise<AttemptResult> {
    const found = this.find(request);
    const fn = typeof found === 'function' ? found : await found;
    const output = toPlain((await fn(context)) ?? null, `output of task ${request.task}`);
    const steps = context.stepsSettled();
    if (steps) await steps;
    return { output, changes: context.changes() };
  }

  /** The work, or the signal's reason when it was aborted and does not end in time. */
  private untilAbandoned(
    work: Promise<AttemptResult>,
    context: AttemptContext,
    { request, port }: { request: AttemptRequest; port: AttemptPort },
  ): Promise<AttemptResult> {
    const { clock } = this.options;
    const { killAfterMs } = request.agent.limits;
    return new Promise((resolve, reject) => {
      const ask = (reason: unknown): void => context.refuse(reason);
      const watch = new AbortWatch(port, { ask, force: reject }, { clock, killAfterMs });
      const fail = (thrown: unknown): void => reject(watch.aborted ? watch.reason : thrown);
      void work.then(resolve, fail).finally(() => watch.stop());
    });
  }

  private find(request: AttemptRequest): TaskFunction | Promise<TaskFunction> {
    const { module = '', export: name } = request.agent;
    if (module.startsWith(hostPrefix)) return this.hostFunction(module.slice(hostPrefix.length));
    const key = JSON.stringify([request.baseDir, module, name]);
    return this.loaded.get(key) ?? this.load(key, request);
  }

  private hostFunction(name: string): TaskFunction {
    const { functions } = this.options;
    const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (typeof found === 'function') return found;
    const names = Object.keys(functions);
    throw new TroupeError('TRP_WORKFLOW_MODULE', `The host gave no function "${name}".`, {
      place: `${hostPrefix}${name}`,
      hint:
        names.length > 0
          ? `It gave ${names.join(', ')}.`
          : 'It gave no functions; pass them as `functions`.',
    });
  }

  private load(key: string, { agent, baseDir }: AttemptRequest): Promise<TaskFunction> {
    const loading = loadFunction({ module: agent.module, export: agent.export, baseDir });
    this.loaded.set(key, loading);
    loading.then(
      (fn) => this.loaded.set(key, fn),
      () => this.loaded.delete(key),
    );
    return loading;
  }
}

/** Promise turns that a function may take before a signal is made for it. */
const freeTurns = 6;

/** Whether a promise settles within a few promise turns: without timers, I/O or anybody's help. */
async function settlesSoon(work: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  work.then(mark, mark);
  for (let turn = 0; turn < freeTurns && !settled; turn++) await Promise.resolve();
  return settled;
}
