import { TroupeError, errorCodes, errorInfo } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { jsonText } from './json.ts';

/** Longest request line in bytes, its newline not counted. */
export const maxRequestBytes = 64 * 1024;

/** Longest answer line in bytes that a client accepts. */
export const maxAnswerBytes = 64 * 1024 * 1024;

/** What one process asks of the process that owns a run. */
export interface ControlRequest {
  /** Chosen by the asker; the answer carries it back. */
  readonly id: string;
  readonly verb: string;
  /** The run that it is about; empty for verbs that concern the whole process. */
  readonly run: string;
  readonly payload: Plain;
}

/** One line back: what the verb gave, or why it did not. */
export type ControlAnswer =
  | { readonly id: string | null; readonly ok: true; readonly payload: Plain }
  | { readonly id: string | null; readonly ok: false; readonly error: ControlError };

export interface ControlError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/**
 * A request out of one line of JSON.
 * @throws TroupeError TRP_CONTROL_REQUEST that names the member at fault.
 */
export function parseRequest(line: string): ControlRequest {
  const value = parseObject(line);
  const { id, verb, run = '', payload = null } = value;
  if (typeof id !== 'string') throw malformed('`id` must be a string');
  if (typeof verb !== 'string' || verb === '') throw malformed('`verb` must be a string that is not empty');
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

/**
 * An answer out of one line of JSON.
 * @throws TroupeError TRP_CONTROL_UNREACHABLE when the other side does not speak this protocol.
 */
export function parseAnswer(line: string): ControlAnswer {
  try {
    const { id, ok, payload = null, error } = parseObject(line);
    const answeredId = typeof id === 'string' ? id : null;
    if (ok === true) return { id: answeredId, ok, payload: payload as Plain };
    return { id: answeredId, ok: false, error: knownError(error) };
  } catch (thrown) {
    throw new TroupeError('TRP_CONTROL_UNREACHABLE', 'what answers on the control socket is no Troupe', { cause: thrown });
  }
}

/** Anything that was thrown, as the `error` member of an answer. A stranger's error is a fault inside. */
export function controlErrorOf(thrown: unknown): ControlError {
  const { code, message, hint } = errorInfo(thrown);
  const ownCode = thrown instanceof TroupeError ? code : 'TRP_INTERNAL';
  return { code: ownCode, message, hint: hint ?? errorCodes[ownCode] };
}

/** One message as the line that carries it. */
export function lineOf(message: ControlRequest | ControlAnswer): string {
  return `${jsonText(message)}\n`;
}

/** The error of a request that is not one. */
export function malformed(what: string): TroupeError {
  return new TroupeError('TRP_CONTROL_REQUEST', `malformed control request: ${what}`);
}

function parseObject(line: string): { [key: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw malformed('not a line of JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('not a JSON object');
  return value as { [key: string]: unknown };
}

function knownError(error: unknown): ControlError {
  const { code, message, hint } = (error ?? {}) as { [key: string]: unknown };
  const known = typeof code === 'string' && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'TRP_INTERNAL';
  return {
    code: known,
    message: typeof message === 'string' ? message : 'the owner refused without a reason',
    hint: typeof hint === 'string' ? hint : errorCodes[known],
  };
}
