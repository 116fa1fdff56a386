import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { RunStarted } from '../journal/record.ts';
import type { Shell } from './shell.ts';
import { checkWorkflowFile, openWorkflowFile } from './workflow-file.ts';

/** What a run began with, as far as its document can be found again. */
export type RunOrigin = Pick<RunStarted, 'source' | 'workflow'>;

/**
 * Whether the file that a run was started from says something else by now. One that has become invalid does;
 * one that is gone or cannot be read says nothing. Never throws.
 */
export async function hasChangedSince(shell: Shell, origin: RunOrigin): Promise<boolean> {
  const file = sourceFile(shell, origin);
  if (file === undefined) return false;
  try {
    const { faults, workflow } = await checkWorkflowFile(shell, file);
    if (!workflow) return !faults.some(({ code }) => code === 'TRP_WORKFLOW_UNREADABLE');
    return (
      workflow.hash !== origin.workflow.hash && !(await isSameButDeadline(shell, file, origin))
    );
  } catch {
    return false;
  }
}

/** The file beside which the run's modules are, or else the one that has its name from here; undefined: neither is there. */
export function sourceFile(shell: Shell, { source, workflow }: RunOrigin): string | undefined {
  if (source === '' || source === '-') return undefined;
  const places = [join(workflow.baseDir, basename(source)), resolve(shell.cwd, source)];
  return places.find((path) => existsSync(path));
}

/** The command line may have set the deadline, which then is part of the document that the run has. */
async function isSameButDeadline(
  shell: Shell,
  file: string,
  { workflow }: RunOrigin,
): Promise<boolean> {
  const { deadlineMs: deadline } = workflow;
  if (deadline === undefined) return false;
  return (await openWorkflowFile(shell, file, { deadline })).workflow.hash === workflow.hash;
}
