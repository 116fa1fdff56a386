import type { Clock } from '../core/clock.ts';
import type { Deadline, Deadlines } from '../core/deadlines.ts';
import type { Random } from '../core/random.ts';
import { decideRestart, noRestarts } from '../policies/restart.ts';
import type { ChildEnd } from '../policies/restart.ts';
import type { RestartSpec, RestartType } from '../policies/restart-spec.ts';

/** How the members of a collection are restarted: each by itself, all of them counted together. */
export interface MemberRestartSpec {
  readonly spec: RestartSpec;
  readonly type: RestartType;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: Random;
}

/** How a member was started, so that it can be started again. */
export interface MemberStart {
  readonly type: 'child.start';
  readonly id: string;
  readonly src: string;
  readonly input: unknown;
}

/**
 * Restarts of a collection's members, as a `simple_one_for_one` supervisor has them.
 *
 * Invariants: a member has one restart under way at most; after `stop` none is.
 */
export class MemberRestarts {
  private readonly spec: MemberRestartSpec;
  private readonly again: (start: MemberStart) => void;
  private readonly starts = new Map<string, MemberStart>();
  private readonly timers = new Map<string, Deadline>();
  private history = noRestarts;

  /** @param again asks the collection to start the member. */
  constructor(spec: MemberRestartSpec, again: (start: MemberStart) => void) {
    this.spec = spec;
    this.again = again;
  }

  /** A member is being started; if its restart was still under way, this is it. */
  started(start: MemberStart): void {
    this.starts.set(start.id, start);
    this.cancel(start.id);
  }

  /** A member is gone for good. */
  forget(id: string): void {
    this.starts.delete(id);
    this.cancel(id);
  }

  /** A member has ended. True when members have died too often: the collection is to end. */
  ended(id: string, end: ChildEnd): boolean {
    const start = this.starts.get(id);
    if (!start) return false;
    const { spec, type, clock, deadlines, random } = this.spec;
    const { history } = this;
    const decision = decideRestart({ spec, type, end, history, now: clock.now(), random });
    if ('history' in decision) this.history = decision.history;
    if (decision.kind !== 'restart') this.forget(id);
    else
      this.timers.set(
        id,
        deadlines.at(decision.at, () => this.due(id, start)),
      );
    return decision.kind === 'escalate';
  }

  /** Nothing is started again any more. */
  stop(): void {
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
    this.starts.clear();
  }

  private due(id: string, start: MemberStart): void {
    this.timers.delete(id);
    this.again(start);
  }

  private cancel(id: string): void {
    this.timers.get(id)?.cancel();
    this.timers.delete(id);
  }
}
