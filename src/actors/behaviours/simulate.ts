import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { TroupeError } from '../../core/errors.ts';
import type { ErrorClass } from '../../core/errors.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import { seededRandom } from '../../core/random.ts';
import type { MemoryChange } from '../../journal/record.ts';
import type { AttemptPort, AttemptRequest, AttemptResult, Behaviour } from './behaviour.ts';

/** What simulated agents need. */
export interface SimulateOptions {
  readonly clock: Clock;
}

/**
 * Agents that only take time. What a task says in `with`, over what its agent says:
 * - `duration`: a duration; default: the task's estimate
 * - `fail`: true, a probability 0..1 drawn from the attempt's seed, or a list of attempts that fail
 * - `error_class`: of the failure; default transient
 * - `progress`: how many reports to spread over the duration; default 0
 * - `output`: the output; default null
 * - `writes`: memory changes to propose, by key
 *
 * Standing in for an agent of another kind, it looks at the estimate only: that agent's input is not for it.
 */
export function createSimulateBehaviour({ clock }: SimulateOptions): Behaviour {
  return {
    async execute(request, port) {
      const script = readScript(request);
      await play(script, { clock, port });
      if (fails(script, request)) throw failureOf(script, request);
      return resultOf(script);
    },
  };
}

interface Script {
  readonly durationMs: number;
  readonly fail: boolean | number | readonly number[];
  readonly errorClass: ErrorClass;
  readonly reports: number;
  readonly output: Plain;
  readonly writes: PlainObject;
}

const errorClasses: readonly ErrorClass[] = [
  'transient',
  'permanent',
  'timeout',
  'cancelled',
  'lost',
];

/** Progress reports that one simulated attempt may make. */
const maxReports = 10_000;

function readScript(request: AttemptRequest): Script {
  const asked = askedOf(request);
  return {
    durationMs: durationOf(asked['duration'] ?? request.estimateMs),
    fail: failOf(asked['fail'] ?? false),
    errorClass: errorClassOf(asked['error_class'] ?? 'transient'),
    reports: reportsOf(asked['progress'] ?? 0),
    output: asked['output'] ?? null,
    writes: writesOf(asked['writes'] ?? {}),
  };
}

function askedOf({ agent, input }: AttemptRequest): PlainObject {
  if (agent.uses !== 'simulate') return {};
  return isObject(input) ? { ...agent.with, ...input } : agent.with;
}

function durationOf(value: Plain): number {
  const durationMs =
    typeof value === 'number' || typeof value === 'string' ? parseDuration(value) : undefined;
  return durationMs ?? refuse('duration', value, 'a duration such as 250ms, or milliseconds');
}

function isObject(value: Plain): value is PlainObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

function failOf(value: Plain): Script['fail'] {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  if (isNumbers(value)) return value;
  return refuse('fail', value, 'true, a probability 0..1 or a list of attempt numbers');
}

function isNumbers(value: Plain): value is readonly number[] {
  return Array.isArray(value) && value.every((attempt) => typeof attempt === 'number');
}

function errorClassOf(value: Plain): ErrorClass {
  return (
    errorClasses.find((known) => known === value) ??
    refuse('error_class', value, errorClasses.join(', '))
  );
}

function reportsOf(value: Plain): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maxReports)
    return value;
  return refuse('progress', value, `a whole number from 0 to ${maxReports}`);
}

function writesOf(value: Plain): PlainObject {
  return isObject(value) ? value : refuse('writes', value, 'a map of memory keys and values');
}

function refuse(name: string, value: Plain, expected: string): never {
  const shown = value instanceof Uint8Array ? 'bytes' : JSON.stringify(value);
  throw new TroupeError(
    'TRP_INPUT_INVALID',
    `A simulated task's "${name}" is ${shown}; expected ${expected}.`,
  );
}

/** Lets the duration pass, one timer at a time, telling progress on the way; rejects on abort at once. */
function play(script: Script, { clock, port }: { clock: Clock; port: AttemptPort }): Promise<void> {
  const { durationMs, reports } = script;
  const startMs = clock.monotonic();
  const signal = port.signal();
  return new Promise((resolve, reject) => {
    let told = 0;
    const wait = (): unknown => {
      const dueMs =
        told < reports ? Math.round((durationMs * (told + 1)) / (reports + 1)) : durationMs;
      return clock.setTimeout(tick, startMs + dueMs - clock.monotonic());
    };
    const tick = (): void => {
      if (told === reports) {
        signal.removeEventListener('abort', stop);
        resolve();
        return;
      }
      told++;
      timer = wait();
      port.progress({ fraction: told / (reports + 1) });
    };
    const stop = (): void => {
      clock.clearTimeout(timer);
      reject(signal.reason);
    };
    let timer = wait();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function fails({ fail }: Script, { attempt, seed }: AttemptRequest): boolean {
  if (typeof fail === 'boolean') return fail;
  if (typeof fail === 'number') return seededRandom(seed)() < fail;
  return fail.includes(attempt);
}

function failureOf({ errorClass }: Script, { task, attempt }: AttemptRequest): TroupeError {
  const message = `Attempt ${attempt} of task ${task} failed because its simulation says so.`;
  return new TroupeError('TRP_ATTEMPT_FAILED', message, { errorClass });
}

function resultOf({ output, writes }: Script): AttemptResult {
  const changes = Object.entries(writes).map(([key, value]): MemoryChange => ({ key, value }));
  return { output, changes };
}
