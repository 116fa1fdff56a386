/**
 * Every error code of Troupe, with what it means and what to do next. The same table stands in
 * docs/errors.md; a test keeps the two equal.
 */
export const errorCodes = {
  TRP_WORKFLOW_UNREADABLE: 'The workflow file cannot be read. Check the path and its permissions.',
  TRP_WORKFLOW_TOO_LARGE:
    'The document is over the size limit. Move data out of it and pass it as input.',
  TRP_WORKFLOW_SYNTAX: 'The text is not valid YAML or JSON. Mend it at the place named.',
  TRP_WORKFLOW_HOSTILE:
    'The document uses a YAML feature that is refused (tags, alias bombs, merge of prototypes). Write it plainly.',
  TRP_WORKFLOW_DUPLICATE_KEY: 'One key stands twice in a mapping. Remove or rename one.',
  TRP_WORKFLOW_INVALID: 'A value has the wrong shape. The message says what was expected.',
  TRP_WORKFLOW_UNKNOWN_KEY: 'The key is not known here. See the hint for the nearest known key.',
  TRP_WORKFLOW_UNSUPPORTED:
    'The key is part of the language but this version does not act on it yet. Remove it.',
  TRP_WORKFLOW_UNKNOWN_REF:
    'A name refers to something that the document does not define. See the hint.',
  TRP_WORKFLOW_CYCLE: 'Tasks wait for each other in a circle. Drop one of the dependencies named.',
  TRP_WORKFLOW_CONFLICT:
    'Two tasks that may run together write the same key or file. Order them or choose a merger.',
  TRP_WORKFLOW_UNSATISFIABLE:
    'A demand can never be met (more units than there are, more successes than members). Lower it.',
  TRP_WORKFLOW_MODULE:
    'A module named by the document cannot be loaded or lacks the export. Check path and export.',
  TRP_INPUT_INVALID:
    'The input is not plain data or misses a required value. Pass it with --input key=value.',
  TRP_INPUT_UNRESOLVED:
    'A ${...} expression found nothing. The named task or key did not produce that value.',
  TRP_PLAIN_DATA:
    'A value crosses a boundary that only plain data (JSON values and bytes) may cross.',
  TRP_ATTEMPT_FAILED:
    'The behaviour of a task threw or reported a failure. The cause is in the message.',
  TRP_ATTEMPT_TIMEOUT:
    'The attempt ran longer than its timeout. Raise the timeout or make the work smaller.',
  TRP_ATTEMPT_CANCELLED: 'The attempt was cancelled before it ended.',
  TRP_BUDGET_EXHAUSTED:
    'The budget of the run or of the agent is spent. Raise it in the document, or let less be done.',
  TRP_BREAKER_OPEN:
    'The breaker of an agent, provider, model, tool or pool is open. It lets calls try after its wait.',
  TRP_ATTEMPT_LOST:
    'The thread or process that carried the attempt died (out of memory, exit, signal).',
  TRP_COMMAND_SPAWN:
    'The program could not be started. Check that it is installed and on the PATH that is passed on.',
  TRP_COMMAND_EXIT:
    'The program ended with a non-zero code or by a signal. Its last error lines are in the message.',
  TRP_COMMAND_OUTPUT:
    'The program wrote something that is not JSON lines, or more than the limit allows.',
  TRP_MEMORY_NOT_OWNER:
    'A task wrote a key that it neither owns nor declares. Add it to owns or writes.',
  TRP_MEMORY_REJECTED: 'A concurrent write to a key whose policy is reject. Order the writers.',
  TRP_WORKSPACE:
    'The folder of an attempt cannot be filled or merged. The message names what stands in the way.',
  TRP_CONFLICT_UNKNOWN:
    'The run has no open conflict of that number. `troupe show RUN --conflicts` lists them.',
  TRP_QUESTION_UNKNOWN:
    'The run has no open question of that number. `troupe show RUN` lists them.',
  TRP_ANSWER_INVALID:
    'The question does not take that answer. `troupe show RUN` lists its choices.',
  TRP_TASK_STATE:
    'The run has no such task, or it is not in a state in which that can be done. The message says which.',
  TRP_BUS_SUBJECT: 'A subject or one of its tokens is malformed.',
  TRP_BUS_PAYLOAD: 'A message is not plain data or larger than the limit.',
  TRP_BUS_NO_RESPONDERS: 'A request found nobody listening on its subject.',
  TRP_BUS_TIMEOUT: 'A request was not answered in time.',
  TRP_BUS_CLOSED: 'The bus has been closed.',
  TRP_BUS_DISCONNECTED:
    'There is no connection to the server. The bus goes on trying; repeat the call, or check server and URL.',
  TRP_BUS_DENIED: 'The server does not allow this act. Check the permissions of the user.',
  TRP_BUS_CONFLICT:
    'The log or key has moved on from the expected revision. Read it again and decide anew.',
  TRP_BUS_FULL: 'A bounded queue or outbox is full. Wait until it has drained, or raise its limit.',
  TRP_BUS_NOT_HELD:
    'The work item is no longer held: it was settled, or its time was over and it went to another.',
  TRP_BUS_SERVER:
    'The NATS server cannot do what is needed, or is not there. `troupe doctor --bus URL` says more.',
  TRP_JOURNAL_CORRUPT:
    'A journal frame before the end is damaged. Restore the file from a copy; nothing was changed.',
  TRP_JOURNAL_BLOB:
    'A large value that is kept beside the journal is missing or damaged. Restore the file from a copy.',
  TRP_JOURNAL_FULL:
    'The journal cannot grow (disk full). Free space; what was acknowledged is safe; then resume.',
  TRP_JOURNAL_IO: 'The journal cannot be written or read. The cause names the system error.',
  TRP_JOURNAL_VERSION: 'The journal was written by a newer version. Use that version to resume.',
  TRP_JOURNAL_FENCED: 'Another process has taken over this run. This one stopped writing.',
  TRP_POOL_UNSERVED:
    'No worker host serves the pool of a task. Start one: `troupe worker --pools POOL --bus URL`.',
  TRP_WORK_PROTOCOL:
    'A message between a supervisor and a worker host cannot be read. The two are of versions that do not fit.',
  TRP_WORKER_REFUSED:
    'A worker host may not carry this agent out: what it may run is said where it is started.',
  TRP_RUN_NOT_FOUND: 'No run of that id in the data folder. `troupe runs` lists them.',
  TRP_RUN_OWNED:
    'Another live process owns the run. Use cancel or show, or end that process first.',
  TRP_RUN_CHANGED:
    'The document or the engine is another than when the run began. Resume without --strict, or with --accept-changes.',
  TRP_SECRET_ON_BUS:
    'A secret value would leave this process over the bus. Declare a variable of the environment instead, and set it where the work is done.',
  TRP_DURABILITY:
    'The document asks for more durability than the journal of this process gives. Choose another level or another journal.',
  TRP_RUN_ENDED: 'The run has ended; nothing is left to do with it.',
  TRP_CONTROL_UNREACHABLE: 'The owner of the run does not answer on its control socket.',
  TRP_CONTROL_REQUEST: 'A control request is malformed or names an unknown verb.',
  TRP_OPTION_INVALID: 'An option has a value outside its range. The message names both.',
  TRP_QUARANTINED:
    'The task has killed its process, or Troupe itself, too often, and is not tried again. Mend it, then resume the run.',
  TRP_RUN_TOO_LARGE:
    'The run, or a part of it, has grown to a bound. Raise the bound in the options, or do less in one run.',
  TRP_RESTARTS_EXHAUSTED:
    'A part of this process died again and again. Resume the runs in a new process, and report it.',
  TRP_CLOSED: 'This Troupe has been closed. Create a new one.',
  TRP_INTERNAL: 'A fault inside Troupe. Please report it with the message and the run id.',
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof errorCodes;

/** What a retry policy can tell errors apart by. */
export type ErrorClass = 'transient' | 'permanent' | 'timeout' | 'cancelled' | 'lost';

/** Optional parts of a {@link TroupeError}. */
export interface TroupeErrorOptions {
  /** Where it happened: a file with line, a task id, a subject. */
  place?: string;
  /** What to do next, more specific than the code's own text. */
  hint?: string;
  /** The error underneath. */
  cause?: unknown;
  /** Default: permanent. */
  errorClass?: ErrorClass;
  /** How long whoever refused wants to be left alone, in milliseconds. */
  retryAfterMs?: number;
}

/** The one error type that leaves Troupe: a stable code, a place, a reason and the next step. */
export class TroupeError extends Error {
  override readonly name = 'TroupeError';
  readonly code: ErrorCode;
  readonly place: string | undefined;
  readonly hint: string;
  readonly errorClass: ErrorClass;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: TroupeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.place = options.place;
    this.hint = options.hint ?? errorCodes[code];
    this.errorClass = options.errorClass ?? 'permanent';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An error as plain data, as it stands in journals and reports. */
export interface ErrorInfo {
  readonly code: ErrorCode;
  readonly message: string;
  readonly errorClass: ErrorClass;
  readonly place?: string;
  readonly hint?: string;
  /** The next attempt comes no sooner. */
  readonly retryAfterMs?: number;
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === 'string' ? thrown : String(thrown);
}

/**
 * Anything that was thrown, as plain data. A foreign error becomes `TRP_ATTEMPT_FAILED`; its own
 * `errorClass` property, if it names one, is kept (default: transient, since most failures of agents are).
 */
export function errorInfo(thrown: unknown): ErrorInfo {
  if (thrown instanceof TroupeError) {
    const { code, message, errorClass, place, hint, retryAfterMs } = thrown;
    return {
      code,
      message,
      errorClass,
      hint,
      ...(place === undefined ? {} : { place }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  const errorClass = classOf(thrown);
  return { code: 'TRP_ATTEMPT_FAILED', message: messageOf(thrown), errorClass };
}

const errorClasses: readonly string[] = ['transient', 'permanent', 'timeout', 'cancelled', 'lost'];

function classOf(thrown: unknown): ErrorClass {
  const named = (thrown as { errorClass?: unknown } | null | undefined)?.errorClass;
  return typeof named === 'string' && errorClasses.includes(named)
    ? (named as ErrorClass)
    : 'transient';
}
