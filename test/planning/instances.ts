import { readFileSync } from 'node:fs';
import type { Workflow } from '../../src/workflow/model.ts';
import { workflowOf } from '../support/workflow-builder.ts';

/** One scheduling instance; see data/README.md. */
export interface Instance {
  readonly name: string;
  readonly tasks: readonly {
    readonly id: string;
    readonly duration: number;
    readonly deps: readonly string[];
    readonly resources: { readonly [kind: string]: number };
  }[];
  readonly capacity: { readonly [kind: string]: number };
  readonly lower: number;
  readonly best: number;
}

export interface AnalyticInstance extends Instance {
  readonly optimum: number;
  /** The plain rule, and what it makes. */
  readonly rule: string;
  readonly made: number;
}

export interface EverydayPlan {
  readonly id: string;
  readonly steps: readonly {
    readonly id: string;
    readonly minutes: number;
    readonly deps: readonly string[];
  }[];
  readonly total_minutes: number;
}

function data(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`data/${file}`, import.meta.url), 'utf8'));
}

export const taskGraphs = (): Instance[] => data('task-graphs.json') as Instance[];
export const resourceProjects = (): Instance[] => data('resource-projects.json') as Instance[];
export const everydayPlans = (): EverydayPlan[] => data('plans.json') as EverydayPlan[];
export const analyticInstances = (): AnalyticInstance[] =>
  (data('analytic.json') as { makespan: AnalyticInstance[] }).makespan;

/** The instance as a workflow, one time unit as one millisecond. */
export function instanceWorkflow({ tasks, capacity, name }: Instance): Workflow {
  const entries = tasks.map(({ id, duration, deps, resources }) => [
    id,
    { estimate: duration, needs: deps, demand: resources },
  ]);
  return workflowOf({ name, tasks: Object.fromEntries(entries), resources: capacity });
}

/** The instance as a document whose simulated agents take as long as it says, one time unit as one millisecond. */
export function documentOf({ tasks, capacity, name }: Instance): object {
  const entries = tasks.map(({ id, duration, deps, resources }) => [
    id,
    { agent: 'w', estimate: duration, with: { duration }, needs: deps, resources },
  ]);
  return {
    version: 1,
    name,
    agents: { w: { uses: 'simulate' } },
    tasks: Object.fromEntries(entries),
    resources: capacity,
  };
}
