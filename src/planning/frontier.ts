import { TroupeError } from '../core/errors.ts';
import type { Need, TaskSpec } from '../workflow/model.ts';
import { needsCompletionOnly } from './checkers.ts';
import type { Checkers } from './checkers.ts';
import type { TaskGraph } from './graph.ts';

/** How a task or group was settled: what needs it can go on, or cannot. */
export type Settlement = 'satisfied' | 'unsatisfied';

/** A task that can never be ready any more, and the task or group whose failure is the cause. */
export interface Blocked {
  readonly id: string;
  readonly by: string;
}

/** What one step changed, in document order. */
export interface FrontierStep {
  readonly ready: string[];
  readonly blocked: Blocked[];
}

/** `full` waits for acceptance, `stream` for the first contribution, `check` for completion before acceptance. */
type NeedMode = 'full' | 'stream' | 'check';

interface LiveNeed {
  readonly waiter: Waiter;
  readonly source: string;
  readonly mode: NeedMode;
  met: boolean;
}

interface Waiter {
  readonly id: string;
  readonly needs: LiveNeed[];
  unmet: number;
  phase: 'waiting' | 'ready' | 'blocked';
}

/**
 * Which tasks of a run may start: one counter per task, changed only by what the caller tells. Linear in
 * the edges over a whole run. It decides nothing: the caller settles tasks and groups, blocked ones too,
 * and so drives every cascade.
 *
 * Invariants:
 * 1. `waiter.unmet` is the number of its needs with `met` false.
 * 2. A need that is met stays met, but for check needs that `rearm` resets.
 * 3. A task is told ready at most once between two rearms, and blocked at most once; never both.
 * 4. Nodes are settled at most once between two rearms; a second settlement changes nothing.
 */
export class Frontier {
  private readonly waiters = new Map<string, Waiter>();
  /** Needs by the node that they wait for, in document order of the waiters. */
  private readonly needsOn = new Map<string, LiveNeed[]>();
  private readonly settled = new Map<string, Settlement>();

  constructor(graph: TaskGraph) {
    for (const { id } of graph.nodes) this.needsOn.set(id, []);
    const checkedBy = inverse(graph.checkers);
    for (const task of graph.workflow.tasks) {
      const waiter: Waiter = { id: task.id, needs: [], unmet: 0, phase: 'waiting' };
      this.waiters.set(task.id, waiter);
      for (const [source, mode] of needModes(task, graph.checkers, checkedBy))
        this.addNeed(waiter, source, mode);
      if (waiter.unmet === 0) waiter.phase = 'ready';
    }
  }

  /** Tasks that may start and have not been settled, in document order: at first, those without needs. */
  ready(): string[] {
    const ids: string[] = [];
    for (const { id, phase } of this.waiters.values()) {
      if (phase === 'ready' && !this.settled.has(id)) ids.push(id);
    }
    return ids;
  }

  /** Whether the task has everything that it needs. */
  isReady(id: string): boolean {
    return this.waiters.get(id)?.phase === 'ready';
  }

  /**
   * Tells that a task or group ended: accepted, or in a way that its dependents cannot go on from.
   * Blocked tasks are only reported; the caller settles them as unsatisfied in turn.
   */
  settle(id: string, kind: Settlement): FrontierStep {
    const needs = this.needsOf(id);
    if (this.settled.has(id)) return { ready: [], blocked: [] };
    this.settled.set(id, kind);
    return kind === 'satisfied'
      ? this.meet(needs, () => true)
      : { ready: [], blocked: block(needs) };
  }

  /** Tells that a task's attempt succeeded but is not accepted yet: releases those who check it. */
  complete(id: string): FrontierStep {
    return this.meet(this.needsOf(id), (need) => need.mode === 'check');
  }

  /** Tells the first contribution of a group (or of an expanding task): releases those who read its stream. */
  begin(id: string): FrontierStep {
    return this.meet(this.needsOf(id), (need) => need.mode === 'stream');
  }

  /** Puts checkers back to waiting for the completion of what they check, for a new iteration of it; tasks that check nothing stay as they are. */
  rearm(taskIds: Iterable<string>): void {
    for (const id of taskIds) {
      const waiter = this.waiters.get(id);
      if (!waiter) throw unknownNode(id);
      if (waiter.phase !== 'blocked') this.rearmOne(waiter);
    }
  }

  private rearmOne(waiter: Waiter): void {
    const checks = waiter.needs.filter((need) => need.mode === 'check');
    if (checks.length === 0) return;
    for (const need of checks) {
      if (need.met) waiter.unmet++;
      need.met = false;
    }
    waiter.phase = 'waiting';
    this.settled.delete(waiter.id);
  }

  private addNeed(waiter: Waiter, source: string, mode: NeedMode): void {
    const need: LiveNeed = { waiter, source, mode, met: false };
    waiter.needs.push(need);
    waiter.unmet++;
    this.needsOf(source).push(need);
  }

  private needsOf(id: string): LiveNeed[] {
    const needs = this.needsOn.get(id);
    if (!needs) throw unknownNode(id);
    return needs;
  }

  private meet(needs: readonly LiveNeed[], applies: (need: LiveNeed) => boolean): FrontierStep {
    const ready: string[] = [];
    for (const need of needs) {
      if (need.met || !applies(need)) continue;
      need.met = true;
      const { waiter } = need;
      waiter.unmet--;
      if (waiter.unmet > 0 || waiter.phase !== 'waiting') continue;
      waiter.phase = 'ready';
      ready.push(waiter.id);
    }
    return { ready, blocked: [] };
  }
}

/** A check is met by completion, but what has been completed and was then refused still blocks who waits. */
function block(needs: readonly LiveNeed[]): Blocked[] {
  const blocked: Blocked[] = [];
  for (const { waiter, mode, met, source } of needs) {
    if (waiter.phase !== 'waiting' || (met && mode === 'stream')) continue;
    waiter.phase = 'blocked';
    blocked.push({ id: waiter.id, by: source });
  }
  return blocked;
}

/** What a task waits for, by node. A checker waits for what it checks, also where its own needs do not say so. */
function needModes(
  task: TaskSpec,
  checkers: Checkers,
  checkedBy: ReadonlyMap<string, string[]>,
): Map<string, NeedMode> {
  const modes = new Map<string, NeedMode>();
  for (const need of task.needs) {
    if (need.kind === 'context' || need.kind === 'validation') continue;
    const check = needsCompletionOnly(task, need, checkers);
    modes.set(need.on, stricter(modes.get(need.on), modeOf(need, check)));
  }
  for (const checked of checkedBy.get(task.id) ?? []) modes.set(checked, 'check');
  return modes;
}

function inverse(checkers: Checkers): Map<string, string[]> {
  const checkedBy = new Map<string, string[]>();
  for (const [checked, tasks] of checkers) {
    for (const checker of tasks)
      checkedBy.set(checker, [...(checkedBy.get(checker) ?? []), checked]);
  }
  return checkedBy;
}

function modeOf(need: Need, check: boolean): NeedMode {
  if (check) return 'check';
  return need.kind === 'stream' ? 'stream' : 'full';
}

/** Where a task names one node twice, the need that waits longest counts; a check stays a check. */
function stricter(known: NeedMode | undefined, mode: NeedMode): NeedMode {
  if (known === undefined || known === mode) return mode;
  return known === 'check' || mode === 'check' ? 'check' : 'full';
}

function unknownNode(id: string): TroupeError {
  return new TroupeError('TRP_INTERNAL', `No task or group "${id}" in the graph`);
}
