import type { Bus } from '../../bus/bus.ts';
import { decode, encode } from '../../bus/codec.ts';
import { encodedBound } from '../../bus/payload.ts';
import type { WorkQueue } from '../../bus/work-queue.ts';
import { TroupeError } from '../../core/errors.ts';
import { maxPlainDepth, toPlain } from '../../core/plain.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import { isRunId } from '../../journal/run-id.ts';
import type { RunStarted } from '../../journal/record.ts';
import { assertNoSecret } from './submitted-secrets.ts';

/** The pool of runs that wait for a process. No agent's pool can have this name. */
const poolName = '_runs';

/** Version of submissions; a process leaves those of a higher one to newer processes. */
const version = 1;

/** Encoded submissions above this go into a blob, in bytes. */
const maxMessageBytes = 262_144;

const maxDepth = maxPlainDepth + 16;

/** A submission whose process falls silent goes to another after this long, in milliseconds. */
const ackWaitMs = 30_000;

/** Processes that may fail at a submission before it becomes a dead letter. */
const maxDeliveries = 20;

/** The queue of submitted runs of a namespace, shared by all processes that take them. */
export function openRunQueue(bus: Bus): Promise<WorkQueue> {
  return bus.workQueue(poolName, { ackWaitMs, maxDeliveries });
}

/**
 * Puts a run into the queue; resolves when the queue has it.
 * @throws TroupeError TRP_OPTION_INVALID for a bad id, TRP_SECRET_ON_BUS, and errors of the bus
 */
export async function submitRun(bus: Bus, start: RunStarted): Promise<void> {
  const { run } = start;
  if (!isRunId(run)) {
    const message = `${JSON.stringify(run)} cannot be the id of a run.`;
    const hint = 'Letters, digits, - and _, at most 128, beginning with a letter or digit.';
    throw new TroupeError('TRP_OPTION_INVALID', message, { place: 'id', hint });
  }
  assertNoSecret(start, process.env);
  const queue = await openRunQueue(bus);
  await queue.add(await payloadOf(bus, run, toPlain(start)), { id: run });
}

async function payloadOf(bus: Bus, run: string, start: Plain): Promise<Plain> {
  if (encodedBound(start) <= maxMessageBytes) return { v: version, start };
  const { hash } = await (await bus.blobs()).put(encode(start));
  return { v: version, blob: hash, run };
}

/** The id of a submission, as far as the message itself says it. */
export function submittedRun(payload: Plain): string | undefined {
  const { run, start } = (payload ?? {}) as PlainObject;
  const id = run ?? (start as PlainObject | undefined)?.['run'];
  return typeof id === 'string' && isRunId(id) ? id : undefined;
}

/** Removes what a submission has put aside; for the one who has begun its run. */
export async function forgetSubmission(bus: Bus, payload: Plain): Promise<void> {
  const { blob } = (payload ?? {}) as PlainObject;
  if (typeof blob === 'string') await (await bus.blobs()).delete(blob);
}

/**
 * The first record of the run that was submitted.
 * @throws TroupeError TRP_BUS_PAYLOAD for what is no submission; errors of the bus
 */
export async function submittedStart(bus: Bus, payload: Plain): Promise<RunStarted> {
  const { v, start, blob } = (payload ?? {}) as PlainObject;
  if (v !== version) throw refused(`has the format ${JSON.stringify(v)}`);
  const content = typeof blob === 'string' ? await startAside(bus, blob) : start;
  const { type, run, workflow } = (content ?? {}) as unknown as Partial<RunStarted>;
  if (type !== 'run.started' || typeof run !== 'string' || !isRunId(run) || !workflow)
    throw refused('does not hold the start of a run');
  return content as unknown as RunStarted;
}

async function startAside(bus: Bus, hash: string): Promise<Plain> {
  const content = await (await bus.blobs()).get(hash);
  if (!content) throw refused(`refers to the blob ${hash}, which is gone`);
  return decode(content, { maxDepth });
}

function refused(what: string): TroupeError {
  return new TroupeError('TRP_BUS_PAYLOAD', `The submission ${what}.`);
}
