import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';

/** Longest request line in bytes, its newline not counted. */
export const maxRequestBytes = 64 * 1024;

/** What one process asks of the process that owns a run. */
export interface ControlRequest {
  /** Chosen by the asker; the answer carries it back. */
  readonly id: string;
  readonly verb: string;
  /** The run that it is about; empty for verbs that concern the whole process. */
  readonly run: string;
  readonly payload: Plain;
}

/**
 * A request out of one line of JSON.
 * @throws TroupeError TRP_CONTROL_REQUEST that names the member at fault.
 */
export function parseRequest(line: string): ControlRequest {
  const value = parseObject(line);
  const { id, verb, run = '', payload = null } = value;
  if (typeof id !== 'string') throw malformed('`id` must be a string');
  if (typeof verb !== 'string' || verb === '')
    throw malformed('`verb` must be a string that is not empty');
  if (typeof run !== 'string') throw malformed('`run` must be a string');
  return { id, verb, run, payload: payload as Plain };
}

/** The id of a request that is otherwise malformed, so that its sender can tell which one failed. */
export function requestIdOf(line: string): string | null {
  try {
    const { id } = parseObject(line);
    return typeof id === 'string' ? id : null;
  } catch {
    return null;
  }
}

/** The error of a request that is not one. */
export function malformed(what: string): TroupeError {
  return new TroupeError('TRP_CONTROL_REQUEST', `malformed control request: ${what}`);
}

/**
 * A line as a JSON object.
 * @throws TroupeError TRP_CONTROL_REQUEST.
 */
export function parseObject(line: string): { [key: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw malformed('not a line of JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('not a JSON object');
  return value as { [key: string]: unknown };
}
