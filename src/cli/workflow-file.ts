import { resolve } from 'node:path';
import type { PlainObject } from '../core/plain.ts';
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

/** What a command line may set over the document. */
export interface Overrides {
  /** Milliseconds from the run's start; instead of the document's own deadline. */
  readonly deadline?: number;
}

/** Reads and validates a workflow file, or standard input for `-`. Places name the file as the caller did. */
export async function checkWorkflowFile(shell: Shell, file: string): Promise<CheckedFile> {
  return checkSource(await sourceOf(shell, file), file);
}

/**
 * A workflow that can run.
 * @throws InvalidWorkflow with every fault of the document.
 */
export async function openWorkflowFile(
  shell: Shell,
  file: string,
  overrides: Overrides = {},
): Promise<{ workflow: Workflow; warnings: readonly Fault[] }> {
  const source = await sourceOf(shell, file);
  const { warnings, workflow } = await validOnly(source, file);
  if (overrides.deadline === undefined) return { workflow, warnings };
  const overridden = await validOnly(await withDeadline(source, overrides.deadline), file);
  return { workflow: overridden.workflow, warnings };
}

async function checkSource(source: DocumentSource, file: string): Promise<CheckedFile> {
  const { validateDocument } = await import('../workflow/validate.ts');
  const { faults, warnings, workflow } = await validateDocument(source);
  const named = (fault: Fault): Fault => ({ ...fault, file });
  return {
    workflow: faults.length === 0 ? workflow : undefined,
    faults: faults.map(named),
    warnings: warnings.map(named),
  };
}

async function validOnly(
  source: DocumentSource,
  file: string,
): Promise<{ workflow: Workflow; warnings: readonly Fault[] }> {
  const { faults, warnings, workflow } = await checkSource(source, file);
  const [first, ...rest] = faults;
  if (first) throw new InvalidWorkflow([first, ...rest]);
  if (!workflow) throw new Error('a validation without faults gave no workflow');
  return { workflow, warnings };
}

/** The document is validated as written first, so that faults keep their lines; then once more with the deadline in it. */
async function withDeadline(source: DocumentSource, deadline: number): Promise<DocumentSource> {
  const { loadDocument } = await import('../workflow/load.ts');
  const { baseDir, file, value } = await loadDocument(source);
  return { object: { ...(value as PlainObject), deadline }, file, baseDir };
}

async function sourceOf(shell: Shell, file: string): Promise<DocumentSource> {
  if (file === '-') return { text: await shell.readInput(), file, baseDir: shell.cwd };
  return { path: resolve(shell.cwd, file) };
}
