import { recordFormat } from '../journal/record.ts';
import type { RunStarted } from '../journal/record.ts';
import { TroupeError } from '../core/errors.ts';
import { outcomeIn, startWith } from '../journal/run-past.ts';
import type { RunOutcome } from '../core/outcome.ts';
import { fold } from '../journal/fold.ts';
import type { RunState } from '../journal/run-state.ts';
import type { JournalStore, OwnedRun } from '../journal/journal.ts';
import { buildGraph } from '../planning/graph.ts';
import type { RunSummary } from './api.ts';
import type { RunReport } from './report.ts';
import { reportOf } from './reporting.ts';

/** Runs as their journals tell them, whoever owns them. */

/** The report of a run in the store. */
export async function storedReport(store: JournalStore, run: string): Promise<RunReport> {
  const state = fold(await store.read(run));
  return reportOf(state, buildGraph(workflowOf(state, run)));
}

/** How a run has ended; undefined: it has not. */
export async function endingOf(store: JournalStore, run: string): Promise<RunOutcome | undefined> {
  return store.endedAs ? store.endedAs(run) : outcomeIn({ records: await store.read(run) });
}

/** One line per run, oldest first. A run whose journal cannot be read does not hide the others. */
export async function runSummaries(store: JournalStore): Promise<RunSummary[]> {
  const summaries: RunSummary[] = [];
  const runs = await store.list();
  const read = (await store.bulkReader?.()) ?? ((run: string) => store.read(run));
  for (const { run, owner } of runs) {
    const state = await readable(read, run);
    if (state?.workflow) summaries.push(summaryOf(state, owner));
  }
  return summaries;
}

/** The workflow that a run was started with. */
function workflowOf(state: RunState, run: string): NonNullable<RunState['workflow']> {
  if (state.workflow) return state.workflow;
  throw new TroupeError(
    'TRP_RUN_NOT_FOUND',
    `Run ${run} has no start in its journal: it never began.`,
    { place: run },
  );
}

async function readable(read: JournalStore['read'], run: string): Promise<RunState | undefined> {
  try {
    return fold(await read(run));
  } catch {
    return undefined;
  }
}

function summaryOf(state: RunState, owner: string | undefined): RunSummary {
  const { workflow, outcome } = state;
  const declared = new Set(workflow?.tasks.map(({ id }) => id));
  const done = [...state.tasks.values()].filter(
    (row) => row.phase === 'ended' && declared.has(row.id),
  );
  return {
    run_id: state.run,
    workflow: workflow?.name ?? '',
    status: outcome ?? standing(state, owner),
    started_at: new Date(state.startedAt).toISOString(),
    tasks_done: done.length,
    tasks_succeeded: done.filter((row) => row.outcome === 'succeeded').length,
    tasks_total: declared.size,
    owner: owner ?? null,
  };
}

/** A paused run waits for a word, whether a process carries it or not. */
function standing({ paused }: RunState, owner: string | undefined): RunSummary['status'] {
  if (paused) return 'paused';
  return owner === undefined ? 'interrupted' : 'running';
}

/**
 * The first record of a run that was taken over.
 * @throws TroupeError TRP_JOURNAL_CORRUPT, TRP_JOURNAL_VERSION
 */
export function startOf(owned: OwnedRun): RunStarted {
  const first = owned.checkpoint?.start ?? owned.records[0];
  if (first?.type !== 'run.started') {
    workflowOf(fold(owned.records), owned.run);
    throw new TroupeError(
      'TRP_JOURNAL_CORRUPT',
      `The journal of run ${owned.run} does not begin with its start.`,
    );
  }
  if (first.format > recordFormat) {
    throw new TroupeError(
      'TRP_JOURNAL_VERSION',
      `Run ${owned.run} was written by engine ${first.engine}.`,
    );
  }
  return startWith(first, owned.records);
}
