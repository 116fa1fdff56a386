import type { Workflow } from '../workflow/model.ts';

/** The run goes on with another document. What the change does not reach keeps its results. */
export interface WorkflowMigrated {
  readonly type: 'workflow.migrated';
  /** The engine that carries it on. */
  readonly engine: string;
  readonly workflow: Workflow;
  readonly source: string;
  /** Tasks that are done anew, in a new iteration. */
  readonly reset: readonly string[];
  /** Groups that are joined anew. */
  readonly groups: readonly string[];
  /** Tasks that the document has no more. */
  readonly dropped: readonly string[];
}
