import { resolve } from 'node:path';
import { TroupeError } from '../core/errors.ts';
import type { RunStarted } from '../journal/record.ts';
import { engineVersion } from '../runtime/engine-version.ts';
import { hasChangedSince, sourceFile } from './changed-document.ts';
import { dataFolder } from './options.ts';
import type { DataOptions } from './options.ts';
import { oneLine } from './render/width.ts';
import type { Shell } from './shell.ts';
import { openWorkflowFile } from './workflow-file.ts';

/** What a resume does about a document or an engine that is another than when the run began. */
export interface ChangeOptions extends DataOptions {
  /** Refuse. */
  readonly strict?: boolean;
  /** Go on with the document as it is now. */
  readonly acceptChanges?: boolean;
  /** The document, where it is not where it was. */
  readonly workflow?: string;
}

/** A run that is to be resumed. */
export interface Resumed {
  readonly run: string;
  readonly start: RunStarted;
}

/**
 * Faces the changes since a run began, before it is taken over: tells them, refuses, or has the run go on with the new
 * document.
 * @returns the run as it goes on
 * @throws TroupeError TRP_RUN_CHANGED with `strict`; TRP_OPTION_INVALID when there is no document to go on with
 */
export async function faceChanges(
  shell: Shell,
  { run, start }: Resumed,
  options: ChangeOptions,
): Promise<RunStarted> {
  if (options.acceptChanges === true) return accept(shell, { run, start }, options);
  const changes = await changesSince(shell, start, options.workflow);
  if (changes.length === 0) return start;
  if (options.strict === true)
    throw new TroupeError('TRP_RUN_CHANGED', `${run}: ${changes.join('; ')}`, { place: run });
  const next = 'resume with --accept-changes, or start a new run, to use it';
  for (const change of changes)
    shell.err(
      `resume goes on with the document as it was when the run began; ${change}: ${next}.\n`,
    );
  return start;
}

async function changesSince(
  shell: Shell,
  start: RunStarted,
  named: string | undefined,
): Promise<readonly string[]> {
  const hasOther =
    named === undefined
      ? await hasChangedSince(shell, start)
      : (await openWorkflowFile(shell, named)).workflow.hash !== start.workflow.hash;
  return [
    ...(hasOther ? [`${oneLine(named ?? start.source)} has changed since`] : []),
    ...(start.engine === engineVersion
      ? []
      : [`the engine was ${oneLine(start.engine)} and is ${engineVersion}`]),
  ];
}

async function accept(
  shell: Shell,
  { run, start }: Resumed,
  options: ChangeOptions,
): Promise<RunStarted> {
  const file = options.workflow ?? sourceFile(shell, start);
  if (file === undefined) {
    const message = `--accept-changes: the document that ${run} began with cannot be found`;
    throw new TroupeError('TRP_OPTION_INVALID', message, { hint: 'Name it with --workflow FILE.' });
  }
  const { workflow } = await openWorkflowFile(shell, file);
  if (workflow.hash === start.workflow.hash) return start;
  const { migrateRun } = await import('../runtime/migrate-run.ts');
  const source = resolve(shell.cwd, file);
  const dataDir = dataFolder(shell, options);
  const { changed, reset, dropped } = await migrateRun({ dataDir, run, workflow, source });
  const parts = [
    `${changed.length} tasks are new or have changed`,
    `${reset.length} are done anew with what follows from them`,
    `${dropped.length} are gone`,
  ];
  shell.err(`${run} goes on with ${oneLine(file)}: ${parts.join(', ')}\n`);
  return { ...start, workflow, source };
}
