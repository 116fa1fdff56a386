import type { TaskContext, TaskFunction } from '../actors/behaviours/behaviour.ts';
import type { Clock } from '../core/clock.ts';
import { seedOf } from '../core/random.ts';
import { Dice } from './dice.ts';
import type { FaultClass, FaultPlan } from './fault-plan.ts';

/** What unruly functions need of their world. */
export interface UnrulyOptions {
  readonly plan: FaultPlan;
  readonly clock: Clock;
  /** Nothing new goes wrong any more. */
  readonly isHealed: () => boolean;
  /** Whether something else than the task itself ends an attempt at it. */
  readonly isLimited: (run: string, task: string) => boolean;
  /** What was done to an attempt, for the trace. */
  readonly told: (context: TaskContext, what: string) => void;
}

/** Longest delay of a slow attempt in milliseconds. */
const slowestMs = 3_000;

/** When strays come back to their attempt, in milliseconds after its end. */
const strayMs = 40;

/**
 * A function that now and then never settles, settles long after it was given up, throws, is slow, or goes on
 * with its context after its end. What happens to an attempt follows from the seed and the attempt alone.
 */
export function unruly(fn: TaskFunction, options: UnrulyOptions): TaskFunction {
  return (context) => new UnrulyAttempt(fn, context, options).run();
}

class UnrulyAttempt {
  private readonly fn: TaskFunction;
  private readonly context: TaskContext;
  private readonly options: UnrulyOptions;
  private readonly dice: Dice;

  constructor(fn: TaskFunction, context: TaskContext, options: UnrulyOptions) {
    this.fn = fn;
    this.context = context;
    this.options = options;
    const { run, task, iteration, attempt } = context;
    this.dice = new Dice(seedOf('attempt', options.plan.seed, run, task, iteration, attempt));
  }

  run(): unknown {
    const { options, context } = this;
    const hangs = this.draws('hang');
    const throws = this.draws('throw');
    const isSlow = this.draws('slow');
    const strays = this.draws('stray');
    if (options.isHealed()) return this.fn(context);
    if (hangs && options.isLimited(context.run, context.task)) return this.hang();
    if (isSlow) return this.late(throws, strays);
    if (throws) return this.fail();
    return strays ? this.stray() : this.fn(context);
  }

  /** Every attempt takes the same throws, so that one class changes nothing of another. */
  private draws(fault: FaultClass): boolean {
    return this.dice.share() < this.options.plan.rates[fault];
  }

  /** Never settles, or long after everybody has given it up. */
  private hang(): Promise<unknown> {
    const { context, options } = this;
    const settlesLate = this.dice.chance(0.5);
    options.told(context, settlesLate ? 'hangs and settles late' : 'hangs');
    return new Promise((resolve) => {
      if (!settlesLate) return;
      context.signal.addEventListener('abort', () =>
        options.clock.setTimeout(() => resolve('late'), 5_000),
      );
    });
  }

  private async fail(): Promise<never> {
    this.options.told(this.context, 'throws');
    throw Object.assign(new Error('a simulated failure'), { errorClass: 'transient' });
  }

  private async late(throws: boolean, strays: boolean): Promise<unknown> {
    await this.pass(this.dice.between(1, slowestMs));
    if (throws) return this.fail();
    return strays ? this.stray() : this.fn(this.context);
  }

  /** Settles, and then speaks, writes and journals on in the name of an attempt that is over. */
  private async stray(): Promise<unknown> {
    const { context, options } = this;
    try {
      return await this.fn(context);
    } finally {
      options.clock.setTimeout(() => this.goOn(), strayMs);
    }
  }

  private goOn(): void {
    const { context, options } = this;
    options.told(context, 'goes on after its end');
    const late = [
      () => context.progress({ fraction: 1 }),
      () => context.memory.set('stray.key', context.attempt),
      () => void context.step('stray', () => 1).catch(() => undefined),
    ];
    for (const act of late) {
      try {
        act();
      } catch {
        // To be refused is what an attempt that is over has to expect.
      }
    }
  }

  /** Ends early when the attempt is aborted. */
  private pass(ms: number): Promise<void> {
    const { clock } = this.options;
    const { signal } = this.context;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clock.clearTimeout(timer);
        reject(signal.reason as Error);
      });
    });
  }
}
