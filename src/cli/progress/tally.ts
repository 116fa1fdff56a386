// Invariants of a tally:
// 1. total = ended + unfinished; a task leaves `unfinished` when it ends and comes back only when it is sent back or reopened.
// 2. A task is in `running` only between its start and its end or failure, and then it is unfinished.
// 3. A group's counts are the sums over its members; members of an expanded task count for the group of that task.
// 4. Applying an event twice changes nothing, so a report and the events that overlap it may both be applied.

import type { Census, TaskOutcome } from '../../core/outcome.ts';
import { emptyCensus } from '../../core/outcome.ts';
import type { RunEvent } from '../../runtime/api.ts';
import type { RunReport } from '../../runtime/report.ts';
import { isPart } from '../render/shapes.ts';
import type { GroupSpec } from '../../workflow/model.ts';

/** A task with an attempt under way. */
export interface RunningTask {
  readonly id: string;
  /** Wall time of the dispatch, in milliseconds. */
  readonly since: number;
  readonly attempt: number;
  readonly message: string;
  /** How much of it is done by its own word, 0..1; null: it does not tell. */
  readonly fraction: number | null;
}

/** How far a group is. */
export interface GroupTally {
  readonly id: string;
  total: number;
  ended: number;
  succeeded: number;
}

/** How a run stands, counted as its events come; what progress is drawn from. */
export class Tally {
  readonly census: Census = emptyCensus();
  readonly running = new Map<string, RunningTask>();
  readonly unfinished = new Set<string>();
  readonly groups = new Map<string, GroupTally>();
  /** Attempts that failed and will be made again. */
  retries = 0;
  /** Whether members of expanded tasks are among those that are counted. */
  hasParts = false;
  private readonly ended = new Map<string, TaskOutcome>();
  private readonly groupOfTask = new Map<string, string>();

  constructor(groups: readonly Pick<GroupSpec, 'id' | 'members'>[] = []) {
    for (const { id, members } of groups) {
      this.groups.set(id, { id, total: 0, ended: 0, succeeded: 0 });
      for (const member of members) this.groupOfTask.set(member, id);
    }
  }

  get total(): number {
    return this.ended.size + this.unfinished.size;
  }

  get endedCount(): number {
    return this.ended.size;
  }

  /** Takes in where the run stands already; `now` is when a task that runs was first seen. */
  begin(report: RunReport, now: number): void {
    const startedAt = Date.parse(report.started_at);
    for (const { id, outcome, attempts, started_ms: started } of report.tasks) {
      this.know(id);
      if (outcome === 'running')
        this.start(id, attempts, started === null ? now : startedAt + started);
      else if (outcome !== 'waiting') this.end(id, outcome);
    }
  }

  apply(event: RunEvent): void {
    switch (event.type) {
      case 'task.started':
        return this.start(event.task, event.attempt, event.at);
      case 'task.progress':
        return this.tell(event);
      case 'attempt.failed':
        return this.retry(event.task);
      case 'task.completed':
      case 'task.parked':
        this.running.delete(event.task);
        return;
      case 'task.succeeded':
      case 'task.accepted':
        return this.end(event.task, 'succeeded');
      case 'task.ended':
        return this.end(event.task, event.outcome);
      case 'task.sent_back':
        return [event.task, ...event.recheck].forEach((task) => this.reopen(task));
      case 'task.expanded':
        return event.items.forEach((_item, index) => this.know(`${event.task}[${index}]`));
      case 'run.reopened':
        return this.reopenAll();
      default:
    }
  }

  private know(task: string): void {
    if (this.unfinished.has(task) || this.ended.has(task)) return;
    this.unfinished.add(task);
    this.hasParts ||= isPart(task);
    const group = this.groupOf(task);
    if (group) group.total++;
  }

  private start(task: string, attempt: number, since: number): void {
    this.know(task);
    if (this.unfinished.has(task))
      this.running.set(task, { id: task, since, attempt, message: '', fraction: null });
  }

  private tell({ fraction, message, task }: Extract<RunEvent, { type: 'task.progress' }>): void {
    const running = this.running.get(task);
    if (!running) return;
    this.running.set(task, {
      ...running,
      message: message ?? running.message,
      fraction: fraction ?? running.fraction,
    });
  }

  private retry(task: string): void {
    if (this.running.delete(task)) this.retries++;
  }

  private end(task: string, outcome: TaskOutcome): void {
    this.know(task);
    this.running.delete(task);
    if (!this.unfinished.delete(task)) return;
    this.ended.set(task, outcome);
    this.count(task, outcome, 1);
  }

  private reopen(task: string): void {
    const outcome = this.ended.get(task);
    if (outcome === undefined) return;
    this.ended.delete(task);
    this.unfinished.add(task);
    this.count(task, outcome, -1);
  }

  private reopenAll(): void {
    for (const [task, outcome] of this.ended) if (outcome !== 'succeeded') this.reopen(task);
  }

  private count(task: string, outcome: TaskOutcome, by: number): void {
    this.census[outcome] += by;
    const group = this.groupOf(task);
    if (!group) return;
    group.ended += by;
    if (outcome === 'succeeded') group.succeeded += by;
  }

  private groupOf(task: string): GroupTally | undefined {
    const expanding = task.replace(/\[\d+\]$/, '');
    const group = this.groupOfTask.get(task) ?? this.groupOfTask.get(expanding);
    return group === undefined ? undefined : this.groups.get(group);
  }
}
