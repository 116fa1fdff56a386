import { resolve } from 'node:path';
import type { Fault } from '../workflow/fault.ts';
import type { DocumentSource } from '../workflow/load.ts';
import type { Workflow } from '../workflow/model.ts';
import { InvalidWorkflow } from './failures.ts';
import type { Shell } from './shell.ts';

/** What a validation says about a file; `workflow` is there exactly when there are no faults. */
export interface CheckedFile {
  readonly workflow: Workflow | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Reads and validates a workflow file, or standard input for `-`. Places name the file as the caller did. */
export async function checkWorkflowFile(shell: Shell, file: string): Promise<CheckedFile> {
  const { validateDocument } = await import('../workflow/validate.ts');
  const { workflow, faults, warnings } = await validateDocument(await sourceOf(shell, file));
  const named = (fault: Fault): Fault => ({ ...fault, file });
  return { workflow: faults.length === 0 ? workflow : undefined, faults: faults.map(named), warnings: warnings.map(named) };
}

/**
 * A workflow that can run.
 * @throws InvalidWorkflow with every fault of the document.
 */
export async function openWorkflowFile(shell: Shell, file: string): Promise<{ workflow: Workflow; warnings: readonly Fault[] }> {
  const { faults, warnings, workflow } = await checkWorkflowFile(shell, file);
  const [first, ...rest] = faults;
  if (first) throw new InvalidWorkflow([first, ...rest]);
  if (!workflow) throw new Error('a validation without faults gave no workflow');
  return { workflow, warnings };
}

async function sourceOf(shell: Shell, file: string): Promise<DocumentSource> {
  if (file === '-') return { text: await shell.readInput(), file, baseDir: shell.cwd };
  return { path: resolve(shell.cwd, file) };
}
