import { isDeepStrictEqual } from 'node:util';
import type { TaskContext, TaskFunction } from '../actors/behaviours/behaviour.ts';
import type { Plain } from '../core/plain.ts';
import type { JournalRecord, MemoryCommitted } from '../journal/record.ts';
import { RunMemory } from '../memory/run-memory.ts';
import type { MemoryReader } from '../memory/view.ts';
import type { Taken } from './shared-store.ts';

type Contents = readonly (readonly [key: string, value: Plain | undefined])[];

/** What one attempt saw of memory. */
interface Sighting {
  readonly node: string;
  readonly run: string;
  readonly task: string;
  readonly iteration: number;
  readonly attempt: number;
  readonly operation: string;
  /** As it began. */
  readonly revision: number;
  readonly seen: Contents;
  /** The same keys at its end; undefined: it had none. */
  later: { readonly revision: number; readonly seen: Contents } | undefined;
}

/** What is known of a run's memory from its journal. */
interface Past {
  readonly memory: RunMemory;
  readonly commits: ReadonlyMap<string, MemoryCommitted>;
  /** Sequence numbers of starts, by `task/iteration/attempt`. */
  readonly starts: ReadonlyMap<string, number>;
}

/**
 * Writes down what every attempt sees of memory, and holds it against the journals in the end: whatever was live in a
 * process meanwhile, an attempt reads one revision, whole, that stays as it is and never lies before that of the attempt
 * before it.
 */
export class Sightings {
  private readonly all: Sighting[] = [];

  /** The function, watched by somebody who reads all of memory when it is called and when it settles. */
  watch(node: string, fn: TaskFunction): TaskFunction {
    return (context) => {
      const sighting = this.begin(node, context);
      const result = fn(context);
      if (!(result instanceof Promise)) return result;
      return result.finally(() => {
        const { memory } = context;
        const seen = contentsOf(
          memory,
          sighting.seen.map(([key]) => key),
        );
        sighting.later = { revision: memory.revision, seen };
      });
    };
  }

  /** What was seen and should not have been. Attempts whose start never became durable do not count. */
  faults(
    journals: ReadonlyMap<string, readonly JournalRecord[]>,
    taken: readonly Taken[],
  ): readonly string[] {
    const pasts = new Map([...journals].map(([run, records]) => [run, pastOf(records)]));
    const begun = startsOf(taken);
    const faults: string[] = [];
    const last = new Map<string, Sighting>();
    for (const sighting of this.newest()) {
      const past = pasts.get(sighting.run);
      if (!past || !begun.has(`${sighting.node} ${sighting.run} ${attemptOf(sighting)}`)) continue;
      const session = `${sighting.run} ${sighting.task}`;
      const fault = faultOf(sighting, past) ?? goesBack(sighting, last.get(session));
      if (fault !== undefined) faults.push(`${sighting.run}: ${attemptOf(sighting)} ${fault}`);
      last.set(session, sighting);
    }
    return faults;
  }

  /** An attempt that a process begins again under the same number has not begun the first time: nobody kept it. */
  private newest(): readonly Sighting[] {
    const newest = new Map<string, Sighting>();
    for (const sighting of this.all) {
      const attempt = `${sighting.node} ${sighting.run} ${attemptOf(sighting)}`;
      newest.delete(attempt);
      newest.set(attempt, sighting);
    }
    return [...newest.values()];
  }

  private begin(
    node: string,
    { run, task, iteration, attempt, operation, memory }: TaskContext,
  ): Sighting {
    const seen = contentsOf(memory, memory.keys());
    const { revision } = memory;
    const sighting = {
      node,
      run,
      task,
      iteration,
      attempt,
      operation,
      revision,
      seen,
      later: undefined,
    };
    this.all.push(sighting);
    return sighting;
  }
}

function contentsOf(memory: MemoryReader, keys: readonly string[]): Contents {
  return keys.map((key) => [key, memory.get(key)]);
}

function pastOf(records: readonly JournalRecord[]): Past {
  const memory = new RunMemory();
  const commits = new Map<string, MemoryCommitted>();
  const starts = new Map<string, number>();
  for (const record of records) {
    if (record.type === 'task.started' || record.type === 'hedge.started')
      starts.set(attemptOf({ iteration: 0, ...record }), record.seq);
    if (record.type !== 'memory.committed') continue;
    memory.apply(record);
    commits.set(record.op, record);
  }
  return { memory, commits, starts };
}

function startsOf(taken: readonly Taken[]): ReadonlySet<string> {
  const starts = new Set<string>();
  for (const { node, run, records } of taken)
    for (const record of records)
      if (record.type === 'task.started') starts.add(`${node} ${run} ${attemptOf(record)}`);
  return starts;
}

function attemptOf(of: {
  readonly task: string;
  readonly iteration: number;
  readonly attempt: number;
}): string {
  return `${of.task} ${of.iteration}.${of.attempt}`;
}

function faultOf(sighting: Sighting, { memory, commits, starts }: Past): string | undefined {
  const { revision, seen, later, operation } = sighting;
  const start = starts.get(attemptOf(sighting));
  if (start !== undefined && revision > start)
    return `saw revision ${revision} before it was there`;
  const view = memory.view(revision);
  const expected = contentsOf(view, view.keys());
  if (!isDeepStrictEqual(seen, expected)) return `saw what revision ${revision} never was`;
  if (!later) return undefined;
  if (later.revision !== revision)
    return `began at revision ${revision} and ended at ${later.revision}`;
  const commit = commits.get(operation);
  const own = new Set(commit && writtenBy(commit));
  const changed = later.seen.find(
    ([key, value], index) => value !== seen[index]?.[1] && !own.has(key),
  );
  return commit && changed ? `saw ${changed[0]} change, which it does not write` : undefined;
}

function writtenBy({ changes, merged = [] }: MemoryCommitted): string[] {
  return [...changes, ...merged].map(({ key }) => key);
}

function goesBack(sighting: Sighting, before: Sighting | undefined): string | undefined {
  if (!before || before.revision <= sighting.revision) return undefined;
  return `saw revision ${sighting.revision} after ${before.revision}`;
}
