import { TroupeError } from '../../core/errors.ts';
import { startWith } from '../../journal/run-past.ts';
import type { JournalRecord, RunStarted } from '../../journal/record.ts';
import type { Troupe } from '../../runtime/api.ts';
import { faceChanges } from '../changed-run.ts';
import type { ChangeOptions } from '../changed-run.ts';
import { noticeLogger, tellShown } from '../bus-notices.ts';
import { exitCodes } from '../exit-codes.ts';
import { followRun } from '../follow.ts';
import { busChoice, isJournalOnBus, troupeOptions } from '../options.ts';
import type { EngineOptions } from '../options.ts';
import type { OutputOptions } from '../output.ts';
import { withStoredRun } from '../stored-runs.ts';
import type { Shell } from '../shell.ts';

/** What `troupe resume` takes besides the run. */
export interface ResumeOptions extends EngineOptions, OutputOptions, ChangeOptions {
  readonly quiet?: boolean;
  readonly stay?: boolean;
}

/** `troupe resume RUN`: takes a run over that nobody owns and follows it to its end. */
export async function resume(shell: Shell, named: string, options: ResumeOptions): Promise<number> {
  if (options.level === 'memory') throw needsFiles();
  if (options.acceptChanges === true && isJournalOnBus(shell, options)) throw changesInFiles();
  const { bus: _shownOn, ...elsewhere } = options;
  const where = isJournalOnBus(shell, options) ? options : elsewhere;
  const { goesOn, isTold, run, ...began } = await withStoredRun(
    shell,
    { run: named, options: where },
    prepare,
  );
  if (isTold) {
    shell.out(`resumed  ${run}\n`);
    return exitCodes.ok;
  }
  const isFaced = goesOn || options.acceptChanges === true;
  const start = isFaced
    ? await faceChanges(shell, { run, start: began.start }, options)
    : began.start;
  const { workflow } = start;
  const troupe = await shell.openTroupe({
    ...troupeOptions(shell, options),
    logger: noticeLogger(shell),
  });
  try {
    const handle = await troupe.resume(run);
    if (handle.report().status === 'paused') await handle.resume('command line');
    const bus = goesOn ? (busChoice(shell, options) ?? workflow.bus) : undefined;
    tellShown(shell, options, { bus, run });
    return await followRun(shell, { ...options, troupe, handle, workflow, fromStart: false });
  } finally {
    await troupe.close();
  }
}

interface Prepared {
  readonly run: string;
  readonly start: RunStarted;
  /** False: the run has succeeded, and nothing of it is left to do. */
  readonly goesOn: boolean;
  /** It is paused, and its owner has been told to go on. */
  readonly isTold: boolean;
}

/**
 * What a run began with; it stands in its first record. A run whose owner went away in the
 * middle of cancelling it is cancelled first: whoever resumes it wants it to go on, not to be cancelled.
 */
async function prepare(stored: Troupe, run: string): Promise<Prepared> {
  const records = await stored.records(run);
  const [first] = records;
  if (first?.type !== 'run.started') {
    const message = `the journal of ${run} does not begin with the run's start`;
    throw new TroupeError('TRP_JOURNAL_CORRUPT', message);
  }
  if (isBeingCancelled(records)) await stored.cancel(run, 'command line');
  const end = records.findLast(({ type }) => type === 'run.ended' || type === 'run.reopened');
  const goesOn = !(end?.type === 'run.ended' && end.outcome === 'succeeded');
  return {
    run,
    start: startWith(first, records),
    goesOn,
    isTold: await goOnElsewhere(stored, run),
  };
}

/** A paused run that a process owns goes on there. */
async function goOnElsewhere(stored: Troupe, run: string): Promise<boolean> {
  const found = (await stored.runs()).find(({ run_id }) => run_id === run);
  if (found?.status !== 'paused' || found.owner === null) return false;
  await stored.ask(run, 'resume', { by: 'command line' });
  return true;
}

function isBeingCancelled(records: readonly JournalRecord[]): boolean {
  const last = records.findLast(
    ({ type }) => type === 'run.cancel_requested' || type === 'run.ended',
  );
  return last?.type === 'run.cancel_requested';
}

function changesInFiles(): TroupeError {
  const message = '--accept-changes goes with journals in files; those of this run are on the bus';
  const hint =
    'Resume without it: the run goes on with the document that it began with. Or start a new run.';
  return new TroupeError('TRP_OPTION_INVALID', message, { hint });
}

function needsFiles(): TroupeError {
  const message = '--level is "memory"; a run that is kept in files is resumed in files';
  return new TroupeError('TRP_OPTION_INVALID', message, { hint: 'Use process or power.' });
}
