import type { Bus } from '../../bus/bus.ts';
import { ctlSubject } from '../../bus/subjects.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { ErrorInfo } from '../../core/errors.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';

/** What a run is asked by the bus. */
export interface BusRequest {
  readonly run: string;
  readonly verb: string;
  readonly payload: Plain;
}

const answerMs = 5_000;

/** Codes that say that nobody is there to answer. */
const unreachable: readonly string[] = [
  'TRP_BUS_NO_RESPONDERS',
  'TRP_BUS_TIMEOUT',
  'TRP_BUS_DISCONNECTED',
];

/**
 * Asks the owner of a run, on whichever host it is; the answer comes when what was asked is durable.
 * @throws TroupeError with the code that the owner answered; TRP_CONTROL_UNREACHABLE when nobody answers
 */
export async function askOnBus(bus: Bus, { run, verb, payload }: BusRequest): Promise<Plain> {
  const request = { verb, payload, wait: true };
  let answer: Plain;
  try {
    answer = await bus.request(ctlSubject(bus.ns, run), request, { timeoutMs: answerMs });
  } catch (error) {
    if (!(error instanceof TroupeError) || !unreachable.includes(error.code)) throw error;
    throw new TroupeError(
      'TRP_CONTROL_UNREACHABLE',
      `The owner of run ${run} does not answer on the bus: ${messageOf(error)}`,
      { place: run, cause: error, hint: 'Try again: a run without an owner is taken over soon.' },
    );
  }
  const refused = (answer as PlainObject | null)?.['error'] as unknown as ErrorInfo | undefined;
  if (!refused) return answer;
  const { code, message, hint } = refused;
  throw new TroupeError(code, message, { place: run, ...(hint === undefined ? {} : { hint }) });
}
