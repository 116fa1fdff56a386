import type { ErrorCode } from '../core/errors.ts';
import type { RunReport } from '../runtime/report.ts';

/** What `troupe` ends with; the table in docs/cli.md. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  invalid: 2,
  partial: 3,
  cancelled: 4,
  deadline: 124,
  interrupted: 130,
  terminated: 143,
} as const;

const codeOfStatus: { readonly [status in RunReport['status']]: number } = {
  succeeded: exitCodes.ok,
  failed: exitCodes.failed,
  partial: exitCodes.partial,
  cancelled: exitCodes.cancelled,
  timed_out: exitCodes.deadline,
  running: exitCodes.failed,
  paused: exitCodes.partial,
};

/** The exit code of a run that this process carried; one that has not ended counts as failed. */
export function exitCodeOfRun(status: RunReport['status']): number {
  return codeOfStatus[status];
}

/** 2 for what the caller can mend in the command, the document or the input; 1 for everything else. */
export function exitCodeOfError(code: ErrorCode): number {
  const byCaller = /^TRP_(WORKFLOW|INPUT|OPTION)_|^TRP_RUN_NOT_FOUND$/;
  return byCaller.test(code) ? exitCodes.invalid : exitCodes.failed;
}
