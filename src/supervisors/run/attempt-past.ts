import type { AttemptRequest } from '../../actors/behaviours/behaviour.ts';
import type { Plain } from '../../core/plain.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { RecoveryRow } from '../../journal/recovery-rows.ts';
import { candidateOf } from './assignment.ts';
import type { TaskSpec } from '../../workflow/model.ts';
import type { RunCore } from './core.ts';

/** What an attempt is told of those before it. */

/** Largest partial output that is kept, in characters of its JSON: it stands in the journal with every failure. */
const maxPartialLength = 64 * 1024;

/** Who it was given to, for whom, and what the last attempt has left; nothing for a first attempt. */
export function pastOf(
  core: RunCore,
  task: TaskSpec,
): Pick<AttemptRequest, 'assigned' | 'standsInFor' | 'previous'> {
  const { recovery, error } = core.ledger.state.tasks.get(task.id) ?? {};
  if (!recovery) return {};
  const { next } = recovery;
  return {
    ...(next && { assigned: next }),
    ...(next?.agent !== undefined && { standsInFor: task.agent }),
    ...(error && previousOf(core, task, { recovery, error })),
  };
}

function previousOf(
  { book }: RunCore,
  task: TaskSpec,
  { recovery, error }: { readonly recovery: RecoveryRow; readonly error: ErrorInfo },
): Pick<AttemptRequest, 'previous'> {
  const last = recovery.failed.at(-1);
  if (!last) return {};
  const { agent, model } = candidateOf(task, last);
  const { partial } = recovery;
  return { previous: { agent, model: model ?? book.agent(agent).model ?? null, error, partial } };
}

/** A partial output that is not too large to be kept; else nothing of it. */
export function bounded(partial: Plain): Plain {
  const length = JSON.stringify(partial, bytesAsLength)?.length ?? 0;
  return length > maxPartialLength ? null : partial;
}

function bytesAsLength(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array
    ? 'x'.repeat(Math.min(value.length, 2 * maxPartialLength))
    : value;
}
