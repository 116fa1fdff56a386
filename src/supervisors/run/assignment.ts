import { isSame, nextCandidate } from '../../policies/redistribution.ts';
import type { Candidate } from '../../policies/redistribution.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { Assignment } from '../../journal/recovery-record.ts';
import type { AgentSpec, TaskSpec } from '../../workflow/model.ts';
import type { RungSpec } from '../../workflow/recovery.ts';
import type { RunCore } from './core.ts';

/** Who carries the attempts of a task out: its own agent, or whoever its failures have brought it to. */

/** The agent of the task's next attempt, with the model that it is to use. */
export function agentOf({ book, ledger }: RunCore, task: TaskSpec): AgentSpec {
  const next = ledger.state.tasks.get(task.id)?.recovery?.next;
  const spec = book.agent(next?.agent ?? task.agent);
  return next?.model === undefined ? spec : { ...spec, model: next.model };
}

/** The task as it is done next: with less to do, where it has been degraded to that. */
export function degradedTask({ ledger }: RunCore, task: TaskSpec): TaskSpec {
  const escalation = ledger.state.tasks.get(task.id)?.recovery?.escalation;
  if (!escalation) return task;
  const input = task.escalation?.[escalation.opened.index]?.degrade?.with;
  if (input === undefined) return task;
  // The copy must not lose what a member has from the task that was split; the task itself may be frozen.
  return Object.create(task, { with: { value: input, enumerable: true } }) as TaskSpec;
}

/** Those whom an attempt on this rung can go to; none for a rung where somebody decides. */
export function candidatesFor(core: RunCore, task: TaskSpec, rung: RungSpec): readonly Candidate[] {
  const own = core.book.agent(task.agent);
  switch (rung.kind) {
    case 'other_worker': {
      const peers = (own.peers ?? []).map((agent) => ({ agent }));
      return (own.instances ?? 1) > 1 ? [...peers, { agent: own.id }] : peers;
    }
    case 'other_model':
      return (own.fallbackModels ?? []).map((model) => ({ agent: own.id, model }));
    case 'degrade':
      return [{ agent: rung.degrade?.agent ?? own.id, model: rung.degrade?.model }];
    default:
      return [{ agent: own.id }];
  }
}

/** Whom the next attempt on this rung goes to; undefined: the task's own agent with its own model. */
export function assignmentFor(
  core: RunCore,
  task: TaskSpec,
  { rung, failed, attempt }: { rung: RungSpec; failed: readonly Assignment[]; attempt: number },
): Assignment | undefined {
  const candidates = candidatesFor(core, task, rung);
  const past = failed.map((one) => candidateOf(task, one));
  const seed = seedOf(core.ledger.state.seed, task.id, attempt, 'assignment');
  // Fallback models are declared in the order of preference; workers are equal.
  const random = rung.kind === 'other_worker' ? seededRandom(seed) : () => 0;
  const next = nextCandidate(healthyOnes(core, candidates), past, random);
  if (!next || isSame(next, { agent: task.agent })) return undefined;
  return {
    ...(next.agent !== task.agent && { agent: next.agent }),
    ...(next.model !== undefined && { model: next.model }),
  };
}

/** Those who are not unhealthy, as far as the run looks at health; all of them where nobody else is left. */
function healthyOnes({ health }: RunCore, candidates: readonly Candidate[]): readonly Candidate[] {
  if (!health) return candidates;
  const healthy = candidates.filter(({ agent }) => !health.isUnhealthy(agent));
  return healthy.length > 0 ? healthy : candidates;
}

/** Who that is, by name. */
export function candidateOf(task: TaskSpec, assignment: Assignment | undefined): Candidate {
  return { agent: assignment?.agent ?? task.agent, model: assignment?.model };
}
