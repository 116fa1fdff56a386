import { TroupeError, errorCodes, errorInfo } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { parseObject } from './request.ts';

/** Longest answer line in bytes that a client accepts. */
export const maxAnswerBytes = 64 * 1024 * 1024;

/** One line back: what the verb gave, or why it did not. */
export type ControlAnswer =
  | { readonly id: string | null; readonly ok: true; readonly payload: Plain }
  | { readonly id: string | null; readonly ok: false; readonly error: ControlError };

/** Why a request was not fulfilled. */
export interface ControlError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
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
    throw new TroupeError(
      'TRP_CONTROL_UNREACHABLE',
      'what answers on the control socket is no Troupe',
      { cause: thrown },
    );
  }
}

/** Anything that was thrown, as the `error` member of an answer. A stranger's error is a fault inside. */
export function controlErrorOf(thrown: unknown): ControlError {
  const { code, message, hint } = errorInfo(thrown);
  const ownCode = thrown instanceof TroupeError ? code : 'TRP_INTERNAL';
  return { code: ownCode, message, hint: hint ?? errorCodes[ownCode] };
}

function knownError(error: unknown): ControlError {
  const { code, message, hint } = (error ?? {}) as { [key: string]: unknown };
  const known =
    typeof code === 'string' && Object.hasOwn(errorCodes, code)
      ? (code as ErrorCode)
      : 'TRP_INTERNAL';
  return {
    code: known,
    message: typeof message === 'string' ? message : 'the owner refused without a reason',
    hint: typeof hint === 'string' ? hint : errorCodes[known],
  };
}
