import type { TaskSpec, Workflow } from '../workflow/model.ts';
import { durationOf, hasHistory, memberCount } from './durations.ts';
import type { DurationOptions } from './durations.ts';
import { readableMs } from './readable.ts';

/** Durations that are told one by one; the rest is counted. */
const maxDurations = 12;

const namesShown = 8;

/** What a plan takes for granted, as sentences for people: every duration that no estimate gives among it. */
export function assumptionsOf(workflow: Workflow, options: DurationOptions): string[] {
  const dynamic = workflow.tasks.filter(({ expand }) => memberCount(expand) === undefined);
  const conditional = workflow.tasks.filter(({ when }) => when !== undefined);
  return [
    ...assumedDurations(workflow, options),
    ...(dynamic.length > 0
      ? [`one member each for ${named(dynamic)}: how many there are is known only at run time`]
      : []),
    ...(conditional.length > 0 ? [`${named(conditional)} run: their conditions are met`] : []),
    'every attempt succeeds the first time',
  ];
}

/** Tasks of one assumed duration for one reason share a sentence. */
function assumedDurations({ tasks }: Workflow, options: DurationOptions): string[] {
  const byReason = new Map<string, { readonly lead: string; readonly tasks: TaskSpec[] }>();
  for (const task of tasks) {
    if (task.estimate || options.measured?.has(task.id) === true) continue;
    const lead = lengthOf(task, options);
    const because = becauseOf(task, options);
    const known = byReason.get(`${lead} ${because}`) ?? { lead, tasks: [] };
    known.tasks.push(task);
    byReason.set(`${lead} ${because}`, known);
  }
  const lines = [...byReason.values()].map(
    ({ lead, tasks: [first, ...others] }) =>
      `${lead} each for ${named(first ? [first, ...others] : others)}: ${first ? becauseOf(first, options) : ''}`,
  );
  const more = lines.length - maxDurations;
  if (more <= 0) return lines;
  return [...lines.slice(0, maxDurations), `and ${more} more durations that no estimate gives`];
}

function lengthOf(task: TaskSpec, options: DurationOptions): string {
  const ms = durationOf(task, options);
  return ms <= 60_000 ? `${Math.round(ms / 10) / 100} s` : readableMs(ms);
}

const complexityNames = ['low', 'medium', 'high', 'very_high'];

function becauseOf(task: TaskSpec, options: DurationOptions): string {
  const { agent, complexity } = task;
  const weight =
    complexity === undefined
      ? ''
      : `, complexity ${complexityNames[complexity - 1] ?? String(complexity)}`;
  const past = hasHistory(task, options) ? `, as ${agent} took in earlier runs` : '';
  return `no estimate${past}${weight}`;
}

function named(tasks: readonly TaskSpec[]): string {
  const shown = tasks.slice(0, namesShown).map((task) => task.id);
  const more = tasks.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
