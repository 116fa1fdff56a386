import { parseDuration } from '../core/duration.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import type { AgentSpec, Estimate } from './model.ts';

/**
 * How long a simulated agent says that it takes, by the task's `with` or its own: what plans use where nobody
 * estimates. Undefined for other agents, and where no duration is written or only an expression for one.
 */
export function simulatedTime(
  agent: AgentSpec | undefined,
  input: Plain | undefined,
): Estimate | undefined {
  if (agent?.uses !== 'simulate') return undefined;
  const { duration } = isMapping(input) ? { ...agent.with, ...input } : agent.with;
  if (typeof duration !== 'number' && typeof duration !== 'string') return undefined;
  const durationMs = parseDuration(duration);
  return durationMs === undefined ? undefined : { midMs: durationMs, highMs: durationMs };
}

function isMapping(value: Plain | undefined): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
