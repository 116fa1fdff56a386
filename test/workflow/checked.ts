import { faultText } from '../../src/workflow/fault-text.ts';
import type { TaskSpec, Workflow } from '../../src/workflow/model.ts';
import { validateDocument } from '../../src/workflow/validate.ts';
import type { Validation } from '../../src/workflow/validate.ts';

/** Validates text that stands for the file flow.yaml. */
export function validated(text: string): Promise<Validation> {
  return validateDocument({ text, file: 'flow.yaml', baseDir: '/flows' });
}

/** The workflow of a text that must be right. */
export async function workflowOf(text: string): Promise<Workflow> {
  const { workflow, faults } = await validated(text);
  if (!workflow) throw new Error(faults.map(faultText).join('\n'));
  return workflow;
}

/** Faults as `code line:column path`. */
export async function faultsOf(text: string): Promise<readonly string[]> {
  const { faults } = await validated(text);
  return faults.map(({ code, line, column, path }) => `${code} ${line}:${column} ${path}`);
}

/** A task by id. */
export function taskOf(workflow: Workflow, id: string): TaskSpec {
  const task = workflow.tasks.find((candidate) => candidate.id === id);
  if (!task) throw new Error(`no task ${id}`);
  return task;
}

/** What a task needs, as `kind target on`. */
export function needsOf(workflow: Workflow, id: string): readonly string[] {
  return taskOf(workflow, id).needs.map(({ kind, target, on }) => `${kind} ${target} ${on}`);
}
