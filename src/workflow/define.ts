import type { WorkflowDocument } from './document.ts';

/** The document itself, checked by the compiler. Nothing happens at run time. */
export function defineWorkflow(document: WorkflowDocument): WorkflowDocument {
  return document;
}
