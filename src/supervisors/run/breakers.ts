import type { AttemptSettlement } from '../../actors/behaviours/behaviour.ts';
import type { AbortReason } from '../../actors/worker.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { BreakerPermit, BreakerResult } from '../../policies/breaker.ts';
import type { AgentSpec, TaskSpec, Workflow } from '../../workflow/model.ts';
import type { BreakerChange, CircuitBreaker } from '../circuit-breaker.ts';
import type { RunBreaker } from './breaker-port.ts';
import { agentOf } from './assignment.ts';
import type { RunCore } from './core.ts';
import type { BreakerGuard, BreakerStanding } from './reliability-ports.ts';
import { poolName } from './pool-name.ts';
import { endTask } from './task-end.ts';

/** What open breakers do to the tasks of a run: before a task asks for permits, and once it has them. */

/** A breaker that has let something through. */
interface Passage {
  readonly breaker: CircuitBreaker;
  readonly permit: BreakerPermit;
}

/** What is done to a task because of a breaker. */
interface Decided {
  readonly decision: 'wait' | 'redistribute' | 'fail';
  readonly to?: string;
  readonly breaker: CircuitBreaker;
}

/**
 * The breakers of one run.
 *
 * Invariants:
 * 1. A task that waits for a breaker holds no permit and has no wish at the governor.
 * 2. What was let through is given back exactly once: with its result, or withdrawn.
 * 3. While a task waits for a breaker, the run is told when that may let it through.
 */
class RunBreakers implements BreakerGuard {
  /** How those that changed stand, by name. */
  readonly standings = new Map<string, BreakerStanding>();
  private readonly core: RunCore;
  /** The breakers of attempts of an agent in its own pool: they are asked for every attempt. */
  private readonly byAgent = new WeakMap<AgentSpec, readonly RunBreaker[]>();
  private readonly waiting = new Map<string, Set<string>>();
  private readonly watches = new Map<string, () => void>();
  private readonly passages = new Map<string, Passage[]>();
  /** Tasks whose wait stands in the journal. */
  private readonly told = new Set<string>();

  constructor(core: RunCore) {
    this.core = core;
    core.services.breakers?.open(core.run, core.book.workflow, (change) => this.changed(change));
  }

  /** Whether the task must not ask for its permits now; it waits then, or has ended. */
  holds(task: TaskSpec): boolean {
    const shut = this.shut(task);
    if (shut) this.hold(task.id, shut);
    return shut !== undefined;
  }

  /** Whether an attempt of the task may begin; it waits, or has ended, if not. */
  letThrough(task: TaskSpec): boolean {
    const passages = this.ask(task);
    if (!passages) return false;
    this.told.delete(task.id);
    if (passages.length > 0) this.passages.set(task.id, passages);
    return true;
  }

  /** Lets a further attempt of the task through, under a name of its own, or not: nothing waits for it. */
  letThroughBeside(task: TaskSpec, name: string): boolean {
    if (this.shut(task)) return false;
    const found = this.ofAttempt(task);
    const passages = found.map(({ breaker }) => passageOf(breaker));
    if (passages.some((passage) => !passage)) {
      for (const passage of passages) if (passage) withdraw(passage);
      return false;
    }
    this.passages.set(name, passages as Passage[]);
    return true;
  }

  /** What was let through under that name is over. */
  over(name: string, result: BreakerResult): void {
    const passages = this.passages.get(name);
    if (!passages) return;
    this.passages.delete(name);
    for (const { breaker, permit } of passages) breaker.report(permit, result);
  }

  /** A breaker of the run by name; undefined: the document asks for none. */
  find(name: string): RunBreaker | undefined {
    return this.core.services.breakers?.find(this.core.run, name);
  }

  /** Gives everything back. */
  close(): void {
    for (const passage of [...this.passages.values()].flat()) withdraw(passage);
    this.passages.clear();
    for (const stop of this.watches.values()) stop();
    this.watches.clear();
    this.waiting.clear();
    this.core.services.breakers?.close(this.core.run);
  }

  /** A breaker may let through again: those that wait for it ask anew. */
  ready(name: string): void {
    const tasks = this.waiting.get(name);
    this.watches.get(name)?.();
    this.watches.delete(name);
    this.waiting.delete(name);
    const { agenda, ledger } = this.core;
    for (const id of tasks ?? []) {
      const phase = ledger.state.tasks.get(id)?.phase ?? 'waiting';
      if (phase === 'backing_off' || (phase === 'waiting' && this.isReady(id)))
        agenda.ready.push(id);
    }
  }

  /** Members and aggregations are ready as long as they are known. */
  private isReady(id: string): boolean {
    const { graph, frontier, book } = this.core;
    if (graph.indexOf.has(id)) return frontier.isReady(id);
    return book.member(id) !== undefined || book.aggregates(id) !== undefined;
  }

  private ask(task: TaskSpec): Passage[] | undefined {
    const shut = this.shut(task);
    if (shut) {
      this.hold(task.id, shut);
      return undefined;
    }
    const passages: Passage[] = [];
    for (const found of this.ofAttempt(task)) {
      const passage = passageOf(found.breaker);
      if (passage) {
        passages.push(passage);
        continue;
      }
      for (const earlier of passages) withdraw(earlier);
      this.hold(task.id, found);
      return undefined;
    }
    return passages;
  }

  /** The first breaker in the task's way that lets nothing through. */
  private shut(task: TaskSpec): RunBreaker | undefined {
    const agent = agentOf(this.core, task);
    const found = [...this.ofAttempt(task, agent), ...this.ofCalls(agent)];
    return found.find(({ breaker }) => !breaker.allows());
  }

  private ofAttempt(task: TaskSpec, agent = agentOf(this.core, task)): readonly RunBreaker[] {
    const known = task.pool ? undefined : this.byAgent.get(agent);
    if (known) return known;
    const found = this.named(`agent:${agent.id}`, `pool:${poolName(task, agent)}`);
    if (!task.pool) this.byAgent.set(agent, found);
    return found;
  }

  /** What the agent says that it calls: there is no use in beginning while that is known not to answer. */
  private ofCalls({ provider, model }: AgentSpec): RunBreaker[] {
    if (provider === undefined) return [];
    const names = [`provider:${provider}`];
    if (model !== undefined) names.push(`model:${provider}/${model}`);
    return this.named(...names);
  }

  private named(...names: readonly string[]): RunBreaker[] {
    return names.map((name) => this.find(name)).filter((found) => found !== undefined);
  }

  private hold(id: string, found: RunBreaker): void {
    const { name, breaker, whenOpen } = found;
    if (whenOpen === 'fail') {
      this.note(id, name, { decision: 'fail', breaker });
      return endTask(this.core, id, {
        outcome: 'failed',
        reason: 'breaker_open',
        error: openError(name, breaker),
      });
    }
    const to = whenOpen === 'redistribute' ? this.peerOf(id) : undefined;
    if (to !== undefined) {
      this.note(id, name, { decision: 'redistribute', to, breaker });
      this.core.agenda.ready.push(id);
      return;
    }
    if (!this.told.has(id)) this.note(id, name, { decision: 'wait', breaker });
    this.told.add(id);
    this.wait(id, name, breaker);
  }

  /** The first peer of the task's own agent in whose way no breaker is, rather one that is healthy. */
  private peerOf(id: string): string | undefined {
    const { book, health, ledger } = this.core;
    const task = book.task(id);
    const now = ledger.state.tasks.get(id)?.recovery?.next?.agent ?? task.agent;
    const others = [...(book.agent(task.agent).peers ?? []), task.agent];
    const free = others.filter((agent) => agent !== now && !this.isShut(task, agent));
    return free.find((agent) => !health?.isUnhealthy(agent)) ?? free[0];
  }

  private isShut(task: TaskSpec, agent: string): boolean {
    const spec = this.core.book.agent(agent);
    const found = [...this.ofAttempt(task, spec), ...this.ofCalls(spec)];
    return found.some(({ breaker }) => !breaker.allows());
  }

  private wait(id: string, name: string, breaker: CircuitBreaker): void {
    const live = this.core.live.get(id);
    live?.lockTimer?.cancel();
    if (live) live.lockTimer = undefined;
    const tasks = this.waiting.get(name);
    if (tasks) tasks.add(id);
    else this.waiting.set(name, new Set([id]));
    if (this.watches.has(name)) return;
    const stop = breaker.wait(() => this.core.self.send({ type: 'breaker.ready', breaker: name }));
    this.watches.set(name, stop);
  }

  private note(task: string, name: string, { decision, to, breaker }: Decided): void {
    const until = breaker.until ?? null;
    this.core.ledger.commit([
      { type: 'breaker.decided', task, breaker: name, decision, until, ...(to && { to }) },
    ]);
  }

  private changed(change: BreakerChange): void {
    const { core } = this;
    const standing = this.standings.get(change.key) ?? { state: 'closed', opened: 0 };
    if (change.state === 'open') standing.opened++;
    standing.state = change.state;
    this.standings.set(change.key, standing);
    const { key, state, why, until } = change;
    const text = `breaker ${key} is ${state.replace('_', ' ')}: ${why}`;
    core.services.logger[state === 'open' ? 'warn' : 'info'](text, { run: core.run, breaker: key });
    core.services.alerted?.(core.run, { kind: 'breaker', of: key, state, why, until });
  }
}

/** The breakers of a run whose document asks for any. */
export function beginBreakers(core: RunCore): void {
  if (asksForBreakers(core.book.workflow)) core.breakers = new RunBreakers(core);
}

/** An attempt is over, as far as breakers are concerned. */
export function breakerResult(
  settlement: AttemptSettlement,
  aborted: AbortReason | undefined,
): BreakerResult {
  if (aborted === 'timeout') return { end: 'failed' };
  if (settlement.status === 'succeeded') return { end: 'succeeded' };
  const { errorClass, code, retryAfterMs } = settlement.error;
  const isOurs = code === 'TRP_BUDGET_EXHAUSTED' || code === 'TRP_BREAKER_OPEN';
  if (aborted || errorClass === 'cancelled' || isOurs) return { end: 'withdrawn' };
  return { end: 'failed', retryAfterMs };
}

/** What a call, or a task, fails with while a breaker is open. */
export function openError(name: string, { waitMs }: CircuitBreaker): ErrorInfo {
  const when = waitMs === 0 ? '' : ` for another ${Math.ceil(waitMs / 1000)} s`;
  return {
    code: 'TRP_BREAKER_OPEN',
    message: `The breaker of ${name} is open${when}.`,
    errorClass: 'transient',
  };
}

function asksForBreakers({ agents, providers = {}, breakers }: Workflow): boolean {
  if (breakers) return true;
  if (Object.values(agents).some(({ breaker }) => breaker)) return true;
  return Object.values(providers).some(
    ({ breaker, models }) =>
      breaker ?? Object.values(models).some((model) => model.breaker !== undefined),
  );
}

function passageOf(breaker: CircuitBreaker): Passage | undefined {
  const permit = breaker.ask();
  return permit && { breaker, permit };
}

function withdraw({ breaker, permit }: Passage): void {
  breaker.report(permit, { end: 'withdrawn' });
}
