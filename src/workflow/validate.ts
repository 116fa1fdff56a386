import type { WorkflowDocument } from './document.ts';
import { canonicalSpelling } from './aliases.ts';
import { faultsError } from './fault-text.ts';
import type { Fault } from './fault.ts';
import { loadDocument } from './load.ts';
import type { DocumentSource } from './load.ts';
import type { Workflow } from './model.ts';

/** What a validation finds. */
export interface Validation {
  /** Undefined when there are faults. */
  readonly workflow: Workflow | undefined;
  /** Everything that keeps the document from running, in order of place. */
  readonly faults: readonly Fault[];
  /** What deserves a look; the document runs. */
  readonly warnings: readonly Fault[];
}

/** Where a text or object belongs. */
export interface ParseOptions {
  /** Name for messages; its folder is the default of `baseDir`. */
  readonly file?: string;
  /** Folder that relative paths start from. Default: the file's, else the working folder. */
  readonly baseDir?: string;
}

/** Workflows that this module made: they need no second look. */
const known = new WeakSet<object>();

/** Whether the value is a workflow that came out of this module (and not something that looks like one). */
export function isWorkflow(value: unknown): value is Workflow {
  return typeof value === 'object' && value !== null && known.has(value);
}

/** Reads, checks and normalises a document. All faults are told at once; never rejects on account of the document. */
export async function validateDocument(source: DocumentSource): Promise<Validation> {
  const { value, baseDir, faults } = await loadDocument(source);
  const [{ checkShape }, { normalise }, { checkFiles }] = await Promise.all([
    import('./schema/check.ts'),
    import('./normalise.ts'),
    import('./load-files.ts'),
  ]);
  const document =
    value === undefined ? undefined : checkShape(canonicalSpelling(value, faults), faults);
  const workflow = document && normalise(document, baseDir, faults);
  if (document && 'path' in source) await checkFiles(document, baseDir, faults);
  if (workflow && faults.faults.length === 0) known.add(workflow);
  return {
    workflow: faults.faults.length === 0 ? workflow : undefined,
    faults: inOrder(faults.faults),
    warnings: inOrder(faults.warnings),
  };
}

/**
 * The workflow of a document given as YAML or JSON text or as plain data. A workflow that has been parsed
 * before is returned as it is.
 * @throws TroupeError with the first fault's code and place, and all faults in its message.
 */
export async function parseWorkflow(
  document: string | WorkflowDocument | Workflow,
  options: ParseOptions = {},
): Promise<Workflow> {
  if (isWorkflow(document)) return document;
  return workflowOrError(
    typeof document === 'string'
      ? { ...options, text: document }
      : { ...options, object: document },
  );
}

/**
 * The workflow in a file.
 * @throws TroupeError as {@link parseWorkflow} does; TRP_WORKFLOW_UNREADABLE when there is no such file.
 */
export function loadWorkflow(path: string): Promise<Workflow> {
  return workflowOrError({ path });
}

async function workflowOrError(source: DocumentSource): Promise<Workflow> {
  const { workflow, faults } = await validateDocument(source);
  if (workflow) return workflow;
  throw faultsError(faults as readonly [Fault, ...Fault[]]);
}

function inOrder(faults: readonly Fault[]): readonly Fault[] {
  return [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
}
