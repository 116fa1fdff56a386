import type { TaskSpec, Workflow } from '../../src/workflow/model.ts';

type Phase = 'waiting' | 'ready' | 'blocked';
interface Step {
  ready: string[];
  blocked: { id: string; by: string }[];
}

/** The frontier's contract read off the whole history at every step, with no counters. For comparison only. */
export class NaiveFrontier {
  private readonly workflow: Workflow;
  private readonly phases = new Map<string, Phase>();
  private readonly settled = new Map<string, string>();
  private readonly begun = new Set<string>();
  /** Pairs `checked>checker` that have been released. */
  private readonly released = new Set<string>();
  /** Nodes that were satisfied once: what they released is not taken back by a rearm. */
  private readonly satisfiedOnce = new Set<string>();

  constructor(workflow: Workflow) {
    this.workflow = workflow;
    for (const task of workflow.tasks) this.phases.set(task.id, 'waiting');
    this.promote();
  }

  ready(): string[] {
    return this.inPhase('ready').filter((id) => !this.settled.has(id));
  }

  step(kind: string, id: string): Step {
    if (kind === 'rearm') return this.rearm(id);
    if (kind === 'begin') this.begun.add(id);
    if (kind === 'complete') this.release(id);
    if (kind === 'satisfied' || kind === 'unsatisfied') return this.settle(kind, id);
    return { ready: this.promote(), blocked: [] };
  }

  private settle(kind: string, id: string): Step {
    if (this.settled.has(id)) return { ready: [], blocked: [] };
    this.settled.set(id, kind);
    if (kind === 'unsatisfied') return { ready: [], blocked: this.blockBy(id) };
    this.satisfiedOnce.add(id);
    this.release(id);
    return { ready: this.promote(), blocked: [] };
  }

  private rearm(id: string): Step {
    const task = this.task(id);
    if (task?.validates !== undefined && this.phases.get(id) !== 'blocked') {
      this.released.delete(`${task.validates}>${id}`);
      this.settled.delete(id);
      this.phases.set(id, 'waiting');
    }
    return { ready: [], blocked: [] };
  }

  private release(checked: string): void {
    for (const task of this.workflow.tasks)
      if (task.validates === checked) this.released.add(`${checked}>${task.id}`);
  }

  private promote(): string[] {
    const found = this.workflow.tasks.filter(
      (task) => this.phases.get(task.id) === 'waiting' && this.allMet(task),
    );
    for (const { id } of found) this.phases.set(id, 'ready');
    return found.map((task) => task.id);
  }

  private allMet(task: TaskSpec): boolean {
    return this.waits(task).every(([source, mode]) => {
      if (mode === 'check') return this.released.has(`${source}>${task.id}`);
      return this.satisfiedOnce.has(source) || (mode === 'stream' && this.begun.has(source));
    });
  }

  private blockBy(id: string): Step['blocked'] {
    const hit = this.workflow.tasks.filter((task) => {
      const mode = this.waits(task).find(([source]) => source === id)?.[1];
      return (
        this.phases.get(task.id) === 'waiting' &&
        mode !== undefined &&
        !(mode === 'stream' && this.streamMet(id))
      );
    });
    for (const task of hit) this.phases.set(task.id, 'blocked');
    return hit.map((task) => ({ id: task.id, by: id }));
  }

  private streamMet(id: string): boolean {
    return this.begun.has(id) || this.satisfiedOnce.has(id);
  }

  private waits(task: TaskSpec): [string, 'full' | 'stream' | 'check'][] {
    const kinds = task.needs.filter((need) => need.kind !== 'context');
    const sources = new Set([
      ...kinds.map((need) => need.on),
      ...(task.validates === undefined ? [] : [task.validates]),
    ]);
    return [...sources].map((source) => {
      if (source === task.validates) return [source, 'check'];
      const full = kinds.some((need) => need.on === source && need.kind === 'data');
      return [source, full ? 'full' : 'stream'];
    });
  }

  private task(id: string): TaskSpec | undefined {
    return this.workflow.tasks.find((task) => task.id === id);
  }

  private inPhase(phase: Phase): string[] {
    return [...this.phases].filter(([, current]) => current === phase).map(([id]) => id);
  }
}
