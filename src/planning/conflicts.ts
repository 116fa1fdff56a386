import type { MergerName, TaskSpec, Workflow } from '../workflow/model.ts';
import { exclusionIn } from './exclusion.ts';
import type { Exclusion } from './exclusion.ts';
import type { TaskGraph } from './graph.ts';
import { isWild, patternIndex, patternsOverlap } from './key-patterns.ts';
import type { PatternIndex } from './key-patterns.ts';
import { reaches, tasksInOrder } from './reach.ts';

/** `fault`: the key's policy is reject. `serialised`: something keeps the two apart, so there is nothing to merge. */
export type ConflictSeverity = 'fault' | 'warning' | 'serialised';

/** Two tasks that no dependency orders and that write the same memory key. */
export interface Conflict {
  /** The key, or the narrower of the two overlapping patterns. */
  readonly key: string;
  readonly tasks: readonly [string, string];
  /** The merger of the key. */
  readonly policy: MergerName;
  readonly severity: ConflictSeverity;
  /** The resource kind that keeps them apart; null: nothing does. */
  readonly serialised_by: string | null;
}

/** Conflicts, of which only the first {@link maxConflicts} are listed. */
export interface Conflicts {
  readonly listed: readonly Conflict[];
  /** Null: there are too many tasks to count the rest. */
  readonly omitted: number | null;
}

/** Longest list of conflicts; the rest is only counted. */
export const maxConflicts = 500;

/** Up to this many tasks the rest is counted. */
const maxCountedTasks = 10_000;

/**
 * Finds pairs of unordered tasks whose declared writes overlap. Indexed by key, so that tasks with keys of
 * their own cost nothing; paths are looked up for 32 writers in one pass.
 */
export function findConflicts(graph: TaskGraph): Conflicts {
  return new ConflictSearch(graph).run();
}

/** The merger of a key or pattern: the first entry that matches it, the exact one before all; else the built-in default. */
function mergerOf(workflow: Pick<Workflow, 'memory'>, key: string): MergerName {
  const { keys } = workflow.memory;
  const declared =
    keys.find(({ pattern }) => pattern === key) ??
    keys.find(({ pattern }) => patternsOverlap(pattern, key));
  if (declared) return declared.merge;
  return key.startsWith('parallel.') ? 'priority_merge' : 'first_writer_wins';
}

interface Meeting {
  readonly key: string;
  readonly writers: readonly number[];
}

class ConflictSearch {
  private readonly graph: TaskGraph;
  private readonly excluded: Exclusion;
  private readonly writers = new Map<string, number[]>();
  private readonly index: PatternIndex;
  private readonly overlaps = new Map<string, string[]>();
  private readonly listed: Conflict[] = [];
  private omitted = 0;

  constructor(graph: TaskGraph) {
    this.graph = graph;
    this.excluded = exclusionIn(graph.workflow);
    for (const node of tasksInOrder(graph)) {
      for (const key of new Set(graph.nodes[node]?.task?.writes)) {
        const known = this.writers.get(key);
        if (known) known.push(node);
        else this.writers.set(key, [node]);
      }
    }
    this.index = patternIndex(this.writers.keys());
  }

  run(): Conflicts {
    const order = tasksInOrder(this.graph);
    const place = new Int32Array(this.graph.nodes.length);
    order.forEach((node, at) => {
      place[node] = at;
    });
    for (const { source, leadsTo } of reaches(this.graph, this.sources(order))) {
      const from = place[source] ?? 0;
      this.addFrom(source, (other) => (place[other] ?? 0) > from && !leadsTo(other));
      const full = this.listed.length >= maxConflicts;
      if (full && order.length > maxCountedTasks) return { listed: this.listed, omitted: null };
    }
    return { listed: this.listed, omitted: this.omitted };
  }

  /** Writers that meet others; those where it may be a fault come first, so that no bound hides them. */
  private sources(order: readonly number[]): number[] {
    const faulty = (node: number): boolean =>
      this.meetings(node).some(({ key }) => mergerOf(this.graph.workflow, key) === 'reject');
    const meeting = order.filter((node) => this.meetings(node).length > 0);
    const first = new Set(this.rejects() ? meeting.filter(faulty) : []);
    return [...first, ...meeting.filter((node) => !first.has(node))];
  }

  private rejects(): boolean {
    return this.graph.workflow.memory.keys.some(({ merge }) => merge === 'reject');
  }

  private addFrom(source: number, unordered: (other: number) => boolean): void {
    const seen = new Set<string>();
    const meetings = this.meetings(source);
    for (const { key, writers } of meetings) {
      for (const other of writers) {
        if (!unordered(other)) continue;
        // Only overlapping patterns of one task can meet the same key of another twice.
        const again = meetings.length > 1 && seen.size === seen.add(`${other} ${key}`).size;
        if (!again) this.add(source, other, key);
      }
    }
  }

  /** Where this task's writes meet those of others: the key at issue, and who writes there, this task included. */
  private meetings(node: number): Meeting[] {
    const writes = [...new Set(this.graph.nodes[node]?.task?.writes)];
    return writes.flatMap((mine) =>
      this.overlapping(mine)
        .map((theirs) => ({ key: narrower(mine, theirs), writers: this.writers.get(theirs) ?? [] }))
        .filter(({ writers }) => writers.length > 1 || writers[0] !== node),
    );
  }

  private overlapping(pattern: string): string[] {
    const known = this.overlaps.get(pattern) ?? this.index.overlapping(pattern);
    this.overlaps.set(pattern, known);
    return known;
  }

  private add(source: number, other: number, key: string): void {
    if (this.listed.length >= maxConflicts) {
      this.omitted++;
      return;
    }
    const [one, two] = [this.graph.nodes[source]?.task, this.graph.nodes[other]?.task];
    if (one && two) this.listed.push(this.conflictOf(one, two, key));
  }

  private conflictOf(one: TaskSpec, two: TaskSpec, key: string): Conflict {
    const policy = mergerOf(this.graph.workflow, key);
    const kept = this.excluded(one, two) ?? null;
    const open = policy === 'reject' ? 'fault' : 'warning';
    return {
      key,
      tasks: [one.id, two.id],
      policy,
      severity: kept === null ? open : 'serialised',
      serialised_by: kept,
    };
  }
}

function narrower(one: string, other: string): string {
  if (isWild(one) !== isWild(other)) return isWild(one) ? other : one;
  return one.length >= other.length ? one : other;
}
