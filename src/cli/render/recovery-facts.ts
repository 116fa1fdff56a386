import type { RecoveryReport } from '../../runtime/recovery-report.ts';
import type { RunReport } from '../../runtime/report.ts';
import { oneLine } from './width.ts';

/** What failures wait for, one line each; nothing when nothing waits. */
export function recoveryFacts({ recovery }: RunReport): readonly string[] {
  const { paused, questions, escalations, stuck, forked } = recovery;
  return [
    ...(forked ? [`goes on from ${forked.run}, anew from ${oneLine(forked.task)}`] : []),
    ...(paused ? [pauseText(paused)] : []),
    ...questions.map(
      ({ id, task, deadline, default: otherwise, choices, error }) =>
        `question ${id}: ${oneLine(task)} has failed (${oneLine(error.message)}); ${choicesText(choices)}${until(deadline, otherwise)}`,
    ),
    ...escalations.map(
      ({ task, rung, of, deadline, default: otherwise }) =>
        `${oneLine(task)} is on rung ${rung} of ${of}${until(deadline, otherwise)}`,
    ),
    ...(stuck.length > 0
      ? [`stuck: nothing will ever start ${stuck.slice(0, 10).map(oneLine).join(', ')}`]
      : []),
  ];
}

/** What a person can do about it. */
export function recoverySteps({ recovery, run_id }: RunReport): readonly string[] {
  const { paused, questions } = recovery;
  return [
    ...questions.slice(0, 3).map(({ id }) => `answer       troupe answer ${run_id} ${id} retry`),
    ...(paused?.tasks.slice(0, 3) ?? []).flatMap((task) => [
      `try again    troupe retry ${run_id} ${oneLine(task)}`,
      `go without   troupe skip ${run_id} ${oneLine(task)}`,
    ]),
  ];
}

/** A value is no word: it is given by an option. */
function choicesText(choices: readonly string[]): string {
  return choices.map((choice) => (choice === 'value' ? '--value JSON' : choice)).join(', ');
}

function pauseText({ by, tasks, since }: NonNullable<RecoveryReport['paused']>): string {
  if (tasks.length === 0) return `paused by ${oneLine(by)} since ${since}`;
  return `paused since ${since}: nothing is left to try for ${tasks.map(oneLine).join(', ')}`;
}

function until(deadline: string | null, otherwise: string): string {
  return deadline === null ? '' : `; at ${deadline}: ${otherwise}`;
}
