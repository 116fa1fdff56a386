import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import type { TaskContext, TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import { toPlain } from '../../src/core/plain.ts';
import type { Plain, PlainObject } from '../../src/core/plain.ts';
import { shardItems } from '../../src/results/sharding.ts';
import { resolveTemplate, valueAt } from '../../src/workflow/template.ts';
import type { TemplateScope } from '../../src/workflow/template.ts';

/**
 * Carries out the functions of a document one after another, with a context that records. It has no
 * supervision whatever: it is here so that the functions and the wiring of their inputs are tested for
 * themselves, and so that a task can be made to fail at will.
 */

type Need = string | { readonly task?: string; readonly group?: string; readonly kind?: string };

interface TaskText {
  readonly agent: string;
  readonly needs?: readonly Need[];
  readonly with: Plain;
  readonly shards?: { readonly of: Plain; readonly count: number };
}

interface DocumentText {
  readonly agents: {
    readonly [id: string]: { readonly module: string; readonly with?: PlainObject };
  };
  readonly tasks: { readonly [id: string]: TaskText };
  readonly groups: { readonly [id: string]: { readonly tasks: readonly string[] } };
  readonly inputs: { readonly [name: string]: { readonly default: Plain } };
  readonly outputs: PlainObject;
}

/** What came of it. */
export interface ReviewRun {
  readonly outputs: Plain;
  readonly tasks: ReadonlyMap<string, Plain>;
  readonly errors: ReadonlyMap<string, Error>;
  /** Everything that a journal would hold. */
  readonly journaled: string;
}

/** How it is carried out. */
export interface ReviewOptions {
  /** Tasks that fail, as if their attempts were exhausted. */
  readonly failing?: readonly string[];
  /** Called before each task. */
  readonly before?: (task: string) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** Runs the document's tasks in an order that their needs allow. */
export async function runReview(
  file: string,
  input: PlainObject,
  options: ReviewOptions = {},
): Promise<ReviewRun> {
  const document = parse(await readFile(file, 'utf8')) as DocumentText;
  const defaults = Object.fromEntries(
    Object.entries(document.inputs).map(([name, spec]) => [name, spec.default]),
  );
  const run = new Run({
    document,
    baseDir: dirname(resolve(file)),
    input: { ...defaults, ...input },
    options,
  });
  for (const task of orderOf(document)) await run.carryOut(task);
  return run.result();
}

/** A context for one call of a function agent. */
export function taskContext(input: Plain, given: Partial<TaskContext> = {}): TaskContext {
  const unused = (): never => {
    throw new Error('not part of this context');
  };
  return {
    run: 'run-test',
    task: 'task',
    operation: 'run-test/task/1',
    attempt: 1,
    iteration: 1,
    instance: 1,
    input: toPlain(input, 'input'),
    feedback: null,
    config: {},
    signal: new AbortController().signal,
    memory: { revision: 0, get: unused, keys: unused, set: unused, delete: unused },
    random: unused,
    progress: () => {},
    partial: () => {},
    provider: unused,
    tool: unused,
    step: unused,
    ...given,
  };
}

class Run {
  readonly #document: DocumentText;
  readonly #baseDir: string;
  readonly #input: PlainObject;
  readonly #options: ReviewOptions;
  readonly #tasks = new Map<string, Plain>();
  readonly #errors = new Map<string, Error>();
  readonly #journaled: string[] = [];

  constructor(parts: {
    document: DocumentText;
    baseDir: string;
    input: PlainObject;
    options: ReviewOptions;
  }) {
    this.#document = parts.document;
    this.#baseDir = parts.baseDir;
    this.#input = parts.input;
    this.#options = parts.options;
  }

  async carryOut(id: string): Promise<void> {
    await this.#options.before?.(id);
    try {
      await this.#iterate(id);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      this.#errors.set(id, error as Error);
    }
  }

  result(): ReviewRun {
    const outputs = resolveTemplate(this.#document.outputs, this.#scope(), { lenient: true });
    return {
      outputs,
      tasks: this.#tasks,
      errors: this.#errors,
      journaled: this.#journaled.join('\n'),
    };
  }

  /** A task and the validation that it names: sent back at most once. */
  async #iterate(id: string): Promise<void> {
    const checker = this.#document.tasks[id]?.needs?.find(
      (need) => typeof need === 'object' && need.kind === 'validation',
    );
    await this.#once(id, null, 1);
    if (typeof checker !== 'object' || checker.task === undefined) return;
    await this.#once(checker.task, null, 1);
    const verdict = this.#tasks.get(checker.task);
    if (valueAt(verdict, ['accepted']) !== false) return;
    await this.#once(id, [valueAt(verdict, ['feedback']) ?? null], 2);
    await this.#once(checker.task, null, 2);
  }

  async #once(id: string, feedback: Plain, iteration: number): Promise<void> {
    const task = this.#task(id);
    if (this.#options.failing?.includes(id)) throw new Error(`${id} was told to fail`);
    const missing = (task.needs ?? []).filter(
      (need) => typeof need === 'string' && !this.#tasks.has(need),
    );
    if (missing.length > 0) throw new Error(`${id} lacks ${missing.join(', ')}`);
    const output =
      task.shards === undefined
        ? await this.#call(id, { feedback, iteration })
        : await this.#callShards(id, task.shards);
    this.#tasks.set(id, output);
  }

  async #callShards(
    id: string,
    shards: { readonly of: Plain; readonly count: number },
  ): Promise<Plain> {
    const items = resolveTemplate(shards.of, this.#scope()) as readonly Plain[];
    const outputs: Plain[] = [];
    for (const [index, shard] of shardItems(items, { count: shards.count }).entries()) {
      const failed = this.#options.failing?.includes(`${id}[${index}]`) ?? false;
      outputs.push(failed ? null : await this.#call(id, { shard: { items: shard, index } }));
    }
    return outputs;
  }

  async #call(
    id: string,
    given: { feedback?: Plain; iteration?: number; shard?: Plain },
  ): Promise<Plain> {
    const { agent, with: template } = this.#task(id);
    const { module, with: config = {} } = this.#agent(agent);
    const [path = '', name = ''] = module.split('#');
    const namespace = (await import(pathToFileURL(resolve(this.#baseDir, path)).href)) as {
      [name: string]: TaskFunction;
    };
    const act = namespace[name];
    if (act === undefined) throw new Error(`${module} is not exported`);
    const input = resolveTemplate(template, this.#scope(given.shard));
    const signal = this.#options.signal ?? new AbortController().signal;
    const { feedback = null, iteration = 1 } = given;
    const output = toPlain(
      await act(
        taskContext(input, {
          task: id,
          operation: `run-test/${id}/${iteration}`,
          feedback,
          iteration,
          config,
          signal,
        }),
      ),
      id,
    );
    this.#journaled.push(JSON.stringify(output));
    return output;
  }

  #task(id: string): TaskText {
    const task = this.#document.tasks[id];
    if (task === undefined) throw new Error(`no task ${id}`);
    return task;
  }

  #agent(id: string): DocumentText['agents'][string] {
    const agent = this.#document.agents[id];
    if (agent === undefined) throw new Error(`no agent ${id}`);
    return agent;
  }

  #scope(shard: Plain = null): TemplateScope {
    return {
      lookup: (root, path) => {
        if (root === 'input') return valueAt(this.#input, path);
        if (root === 'shard') return valueAt(shard, path);
        if (root === 'groups') return valueAt(this.#group(path[0] ?? ''), path.slice(1));
        const id = path[0] ?? '';
        const known =
          this.#tasks.has(id) || this.#errors.has(id) || this.#document.tasks[id] !== undefined;
        return known ? valueAt({ output: this.#tasks.get(id) ?? null }, path.slice(1)) : undefined;
      },
    };
  }

  #group(id: string): Plain {
    const members = this.#document.groups[id]?.tasks ?? [];
    const output = members.map((member) => this.#tasks.get(member) ?? null);
    const failed = members.filter((member) => this.#errors.has(member)).length;
    const census = {
      succeeded: members.length - failed,
      failed,
      timed_out: 0,
      cancelled: 0,
      skipped: 0,
      late: 0,
    };
    return { output, census };
  }
}

/** Ids in an order in which each stands after what it needs; validations run with the task that they check. */
function orderOf(document: DocumentText): string[] {
  const order = new Set<string>();
  const checkers = new Set<string>();
  const visit = (id: string): void => {
    if (order.has(id)) return;
    for (const need of document.tasks[id]?.needs ?? []) {
      if (typeof need === 'object' && need.kind === 'validation') checkers.add(need.task ?? '');
      else for (const before of neededBy(need, document)) visit(before);
    }
    order.add(id);
  };
  for (const id of Object.keys(document.tasks)) visit(id);
  return [...order].filter((id) => !checkers.has(id));
}

function neededBy(need: Need, { groups }: DocumentText): readonly string[] {
  if (typeof need === 'string') return [need];
  return need.group === undefined ? [need.task ?? ''] : (groups[need.group]?.tasks ?? []);
}
