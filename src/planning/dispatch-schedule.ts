import { tailsOf } from './bounds.ts';
import { compactOf } from './compact.ts';
import { criticalPath } from './critical-path.ts';
import type { DurationOptions } from './durations.ts';
import { idOf } from './graph.ts';
import type { TaskGraph } from './graph.ts';
import { orderBy } from './orders.ts';
import { ParallelGenerator } from './parallel-generation.ts';
import { effectivePriorities } from './priorities.ts';
import type { Project } from './project.ts';
import { makespanOf } from './trials.ts';
import type { Trial } from './trials.ts';

/** What the governor does by itself when every task takes as long as planned: longest path to the end within priority. */
export function dispatchSchedule(
  graph: TaskGraph,
  project: Project,
  options: DurationOptions = {},
): Trial {
  const priorities = effectivePriorities(graph.workflow, criticalPath(graph, options));
  const perJob = project.nodeOf.map((node) => priorities.get(idOf(graph, node)) ?? 0);
  const keys = tailsOf(project).map((tail) => -tail);
  return generated(project, keys, perJob);
}

/** Rules that need no search: in the order of the document, longest first, or by the longest path to the end. */
export type PlainRule = 'document_order' | 'longest_first' | 'longest_path';

/** What a plain rule makes of a project when at every finish it starts, in its order, whatever fits. */
export function ruleSchedule(project: Project, rule: PlainRule): Trial {
  const { durations } = project;
  if (rule === 'document_order')
    return generated(
      project,
      durations.map((_, job) => job),
    );
  const lengths = rule === 'longest_first' ? durations : tailsOf(project);
  return generated(
    project,
    Array.from(lengths, (ms) => -ms),
  );
}

function generated(project: Project, keys: ArrayLike<number>, strict?: readonly number[]): Trial {
  const compact = compactOf(project);
  const { order, place } = orderBy(keys, strict);
  const starts = new ParallelGenerator(compact).generate(order, place);
  return { starts, makespanMs: makespanOf(compact, starts) };
}
