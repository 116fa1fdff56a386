import { agentKind, concurrencyKind } from '../workflow/model.ts';
import type { Need, Workflow } from '../workflow/model.ts';
import { predict } from './schedule.ts';
import type { PredictOptions } from './schedule.ts';

/** Jobs times schedules that one question may cost: some milliseconds. */
const placementsEach = 12_000;

/** Above this many tasks nothing is asked: every question plans the whole workflow anew. */
const maxTasks = 1000;

/** Whether questions about a workflow are cheap enough to be asked. */
export function canAsk({ tasks }: Workflow): boolean {
  return tasks.length <= maxTasks;
}

/** The makespan that a changed workflow would have, in milliseconds, as far as a small search tells. */
export function makespanIf(workflow: Workflow, options: PredictOptions): number {
  const budget = Math.max(1, Math.floor(placementsEach / Math.max(1, workflow.tasks.length)));
  const { graph: _graph, ...rest } = options;
  return predict(workflow, { ...rest, budget: Math.min(options.budget ?? budget, budget) })
    .makespanMs;
}

/** The workflow with one task not needing another any more; needs of others may take its place. */
export function withNeeds(
  workflow: Workflow,
  task: string,
  change: (needs: readonly Need[]) => readonly Need[],
): Workflow {
  const tasks = workflow.tasks.map((one) =>
    one.id === task ? { ...one, needs: change(one.needs) } : one,
  );
  return { ...workflow, tasks };
}

/** The workflow with one task free to start as soon as its inputs are there. */
export function withoutStart(workflow: Workflow, task: string): Workflow {
  const tasks = workflow.tasks.map((one) =>
    one.id === task ? { ...one, notBefore: undefined } : one,
  );
  return { ...workflow, tasks };
}

/** The workflow with another limit of a resource kind, an agent or its concurrency. */
export function withLimit(workflow: Workflow, kind: string, units: number): Workflow {
  const { resources, agents } = workflow;
  if (kind === concurrencyKind)
    return { ...workflow, resources: { ...resources, concurrency: units } };
  const agent = Object.values(agents).find(({ id }) => agentKind(id) === kind);
  if (agent?.limits.concurrency !== undefined) {
    const raised = { ...agent, limits: { ...agent.limits, concurrency: units } };
    return { ...workflow, agents: { ...agents, [agent.id]: raised } };
  }
  return {
    ...workflow,
    resources: { ...resources, capacity: { ...resources.capacity, [kind]: units } },
  };
}
