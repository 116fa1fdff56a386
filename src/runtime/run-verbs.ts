import type { BusMessage } from '../bus/bus.ts';
import { errorInfo, TroupeError } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import { resolutionOf } from './control/resolution.ts';
import { verbOf } from './control/verb-request.ts';
import type { RunVerb } from '../supervisors/run/run-verb.ts';
import type { LiveRun } from './live-run.ts';

/** What a run can be asked from outside, by the control socket or the bus; see docs/control.md. */

/** What is asked of a run of this process. */
export interface VerbRequest {
  readonly run: string;
  readonly verb: string;
  readonly payload: Plain;
}

type Door = 'control' | 'bus';

/** Carries a verb out; the answer comes when it has been taken up, or, by the control socket, when it is durable. */
type VerbHandler = (handle: LiveRun, payload: Plain, door: Door) => Plain | Promise<Plain>;

function personVerb(verb: RunVerb['verb']): VerbHandler {
  return async (handle, payload, door) => {
    await handle.carryOut(verbOf(verb, payload, door));
    return { accepted: true };
  };
}

const handlers: { readonly [verb: string]: VerbHandler } = {
  report: (handle) => toPlain(handle.report()),
  cancel: (handle, payload) => {
    void handle.cancel(textField(payload, 'by') ?? 'control').catch(() => undefined);
    return { accepted: true };
  },
  answer: personVerb('answer'),
  pause: personVerb('pause'),
  resume: personVerb('resume'),
  retry: personVerb('retry'),
  skip: personVerb('skip'),
  resolve_conflict: async (handle, payload, door) => {
    await handle.resolveConflict(resolutionOf(payload, door));
    return { resolved: true };
  },
};

/**
 * Answers a request by the control socket, which needs no bus.
 * @throws TroupeError TRP_CONTROL_REQUEST, TRP_RUN_NOT_FOUND, and what the verb itself refuses
 */
export async function answerRequest(
  live: ReadonlyMap<string, LiveRun>,
  { run, verb, payload }: VerbRequest,
): Promise<Plain> {
  const handler = handlerOf(verb);
  if (!handler) {
    const known = Object.keys(handlers).join(', ');
    const message = `There is no verb ${JSON.stringify(verb)}; there are ${known}.`;
    throw new TroupeError('TRP_CONTROL_REQUEST', message);
  }
  const handle = live.get(run);
  if (handle) return handler(handle, payload, 'control');
  const message = `This process does not own a run ${run}.`;
  throw new TroupeError('TRP_RUN_NOT_FOUND', message, { place: run });
}

/**
 * Answers a request by the bus at once: what takes time is only taken up, unless the request says `wait: true`. What is
 * no verb is not answered.
 */
export function answerOnBus(handle: LiveRun, message: BusMessage): void {
  const {
    verb,
    payload = null,
    wait,
  } = (message.payload ?? {}) as { readonly [name: string]: Plain };
  const handler = typeof verb === 'string' ? handlerOf(verb) : undefined;
  if (!handler) return;
  if (wait === true) return void answerWhenDone(message, () => handler(handle, payload, 'bus'));
  const answer = handler(handle, payload, 'bus');
  if (!(answer instanceof Promise)) return message.respond(answer);
  void answer.catch(() => undefined);
  message.respond({ accepted: true });
}

async function answerWhenDone(
  message: BusMessage,
  act: () => Plain | Promise<Plain>,
): Promise<void> {
  try {
    message.respond(await act());
  } catch (error) {
    message.respond({ error: toPlain(errorInfo(error)) });
  }
}

function handlerOf(verb: string): VerbHandler | undefined {
  return Object.hasOwn(handlers, verb) ? handlers[verb] : undefined;
}

function textField(value: Plain, name: string): string | undefined {
  const field = (value as PlainObject | null)?.[name];
  return typeof field === 'string' ? field : undefined;
}
