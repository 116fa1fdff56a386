import type { TaskContext, TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { Plain } from '../../src/core/plain.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Script, ScriptedCalls } from './random-workflow.ts';
import type { Work } from './together.ts';

/** Functions that a workflow names as `host:NAME`. */
export interface Functions {
  readonly [name: string]: TaskFunction;
}

/** Counts bodies that really run, whatever the runtime believes. */
export class Meter {
  now = 0;
  max = 0;
  /** How often each attempt at each work was called. */
  readonly calls = new Map<string, number>();
  /** Tasks whose bodies ran together, at every beginning of one. */
  readonly together: (readonly string[])[] = [];
  /** The same, with whoever is at them. */
  readonly works: (readonly Work[])[] = [];
  private readonly running = new Set<TaskContext>();

  began(context: TaskContext): void {
    const { run, task, iteration, attempt } = context;
    this.running.add(context);
    this.together.push([...this.running].map((other) => other.task));
    this.works.push([...this.running].map(workOf));
    this.now++;
    this.max = Math.max(this.max, this.now);
    const key = `${run}/${task}/${iteration}/${attempt}`;
    this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
  }

  ended(context: TaskContext): void {
    this.running.delete(context);
    this.now--;
  }
}

/** Agents that others give work to say in their `with` who they are. */
function workOf({ config, task }: TaskContext): Work {
  const { me } = config;
  return { task, agent: typeof me === 'string' ? me : undefined };
}

/** The functions of a random document: they do what their task's {@link Script} says. */
export function scriptedFunctions(clock: Clock, meter: Meter): Functions {
  const carryOut = (context: TaskContext, plan: { script: Script; output: object }) =>
    new Body({ clock, meter, context, ...plan }).run();
  return {
    worker: (context) => carryOut(context, { script: scriptOf(context), output: mark(context) }),
    checker: (context) => {
      const script = scriptOf(context);
      const accepted = !(script.reject ?? []).includes(context.iteration);
      return carryOut(context, { script, output: { ...mark(context), accepted } });
    },
    aggregate: (context) =>
      carryOut(context, { script: { ms: 30, linger: 10 }, output: mark(context) }),
  };
}

/** Says in the output which attempt it came from: a result of another round would tell on itself. */
function mark({ task, iteration, attempt }: TaskContext): object {
  return { task, iteration, attempt };
}

function scriptOf({ input }: TaskContext): Script {
  const isScript = typeof input === 'object' && input !== null && 'ms' in input;
  return isScript ? (input as unknown as Script) : { ms: 5, linger: 0 };
}

interface BodyParts {
  readonly clock: Clock;
  readonly meter: Meter;
  readonly context: TaskContext;
  readonly script: Script;
  readonly output: object;
}

/** One call of a function. It settles once and leaves no timer behind. */
class Body {
  private readonly parts: BodyParts;
  private readonly timers: unknown[] = [];
  private over = false;

  constructor(parts: BodyParts) {
    this.parts = parts;
    parts.meter.began(parts.context);
  }

  run(): Promise<object> {
    return new Promise((resolve, reject) => {
      const { signal } = this.parts.context;
      const succeed = this.once(() => resolve({ ...this.parts.output, ...this.lateness(signal) }));
      const fail = this.once(reject);
      signal.addEventListener('abort', () => this.aborted(succeed, fail));
      void this.begin(succeed, fail);
    });
  }

  /** A result that was given after an abort says what the abort was for. */
  private lateness({ aborted, reason }: AbortSignal): object {
    return aborted ? { after: (reason as { errorClass?: string }).errorClass ?? 'abort' } : {};
  }

  private async begin(succeed: () => void, fail: (error: unknown) => void): Promise<void> {
    const { context, script } = this.parts;
    try {
      if (script.write) context.memory.set(`worker.${slug(context.task)}`, context.iteration);
      if (script.shared)
        context.memory.set(`shared.${script.shared}`, sharedValue(context, script.shared));
      if (script.calls) await this.call(script.calls);
      if (script.step) await context.step('step', () => context.iteration);
    } catch (error) {
      if (!context.signal.aborted) fail(error);
      return;
    }
    if (this.over || context.signal.aborted) return;
    const { ms, progress } = script;
    this.after(ms, () => (this.fails() ? fail(this.failure()) : succeed()));
    if (progress !== undefined) this.after(progress, () => context.progress({ fraction: 0.5 }));
  }

  private async call({ count, tokens, refused, shrug }: ScriptedCalls): Promise<void> {
    let refusals = refused;
    const { context } = this.parts;
    for (let left = count; left > 0; left--) {
      const answer = context.provider().call({ tokens }, async () => {
        await this.pass(10);
        if (refusals-- > 0)
          throw Object.assign(new Error('too many'), { status: 429, retryAfterMs: 30 });
        return { value: null, usage: { input_tokens: tokens, output_tokens: 1 } };
      });
      await (shrug ? answer.catch(() => undefined) : answer);
    }
  }

  private pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  private aborted(succeed: () => void, fail: (error: unknown) => void): void {
    if (this.over) return;
    this.stopTimers();
    const { context, script } = this.parts;
    this.after(script.linger, () => (script.lateResult ? succeed() : fail(context.signal.reason)));
  }

  private fails(): boolean {
    return this.parts.script.fail?.includes(this.parts.context.attempt) ?? false;
  }

  private failure(): Error {
    const errorClass = this.parts.script.permanent ? 'permanent' : 'transient';
    return Object.assign(new Error('fails as told'), { errorClass });
  }

  private once(settle: (value: unknown) => void): (value?: unknown) => void {
    return (value) => {
      if (this.over) return;
      this.over = true;
      this.stopTimers();
      this.parts.meter.ended(this.parts.context);
      settle(value);
    };
  }

  private after(delayMs: number, fn: () => void): void {
    this.timers.push(this.parts.clock.setTimeout(fn, delayMs));
  }

  private stopTimers(): void {
    for (const timer of this.timers) this.parts.clock.clearTimeout(timer);
  }
}

/** What fits the way of merging. */
function sharedValue({ task, memory }: TaskContext, rule: string): Plain {
  if (rule === 'sum') return Number(memory.get('shared.sum') ?? 0) + 1;
  if (rule === 'three_way')
    return { ...(memory.get('shared.three_way') as object), [slug(task)]: 1 };
  return rule === 'append' ? [slug(task)] : slug(task);
}

function slug(task: string): string {
  return task.replaceAll(/[^a-z0-9]/g, '_');
}
