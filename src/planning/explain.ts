import type { Plan } from './plan.ts';
import { readableMs } from './readable.ts';

/** Widest line of the chart, in columns, and the narrowest that still shows something. */
const chartColumns = 60;
const leastChartColumns = 20;

/** Lines of each list that are written out; the rest is counted. */
const linesShown = 20;

/** A plan as text for people: times, what is parallel and what is not and why, conflicts, and a chart, no wider than the columns. Ends without a newline. */
export function explainPlan(plan: Plan, columns = chartColumns): string {
  const sections = [
    summary(plan),
    groupLines(plan),
    reasonLines(plan),
    conflictLines(plan),
    findingLines(plan),
    adviceLines(plan),
    chart(plan, Math.max(leastChartColumns, Math.min(chartColumns, columns))),
    assumptionLines(plan),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function summary(plan: Plan): string[] {
  const sum = plan.tasks.reduce((total, task) => total + (task.finish_ms - task.start_ms), 0);
  return [
    `Plan of ${plan.workflow}: ${plan.tasks.length} ${plan.tasks.length === 1 ? 'task' : 'tasks'} in ${readableMs(plan.makespan_ms)} (one after the other: ${readableMs(sum)})`,
    `Critical path (${readableMs(plan.critical_path_ms)}): ${shortened(plan.critical_path, ' -> ')}`,
    `Bottleneck: ${bottleneckText(plan)}; no order takes less than ${readableMs(plan.lower_bound_ms)}, ${gapText(plan)}`,
    ...usageLines(plan),
  ];
}

function gapText({ gap_percent }: Plan): string {
  return gap_percent === 0
    ? 'so no plan is better'
    : `so this plan is within ${gap_percent} % of the best`;
}

/** Kinds that are in use for at least this share of the run are told, the busiest first. */
const leastShareTold = 0.05;

function usageLines({ utilisation }: Plan): string[] {
  const told = Object.entries(utilisation)
    .filter(([, share]) => share >= leastShareTold)
    .sort(([, one], [, other]) => other - one)
    .map(([kind, share]) => `${kind} ${Math.round(share * 100)} %`);
  return told.length > 0 ? [`In use on average: ${shortened(told, ', ')}`] : [];
}

function bottleneckText(plan: Plan): string {
  if (plan.bottleneck === 'critical_path') return `the critical path${startText(plan)}`;
  return `${plan.bottleneck} (tasks wait ${readableMs(plan.waits_ms[plan.bottleneck] ?? 0)} for it in all)`;
}

/** Where the critical path begins with waiting for a time. */
function startText({ start_bound: bound }: Plan): string {
  return bound ? ` (${bound.task} may not start before ${readableMs(bound.not_before_ms)})` : '';
}

function groupLines(plan: Plan): string[] {
  const lines = plan.groups.map(({ id, tasks, declared }) => {
    const name = declared.length > 0 ? `${id} (${declared.join(', ')})` : id;
    const how = tasks.length > 1 ? 'in parallel' : 'alone';
    return `  ${name}: ${shortened(tasks, ', ')} - ${how}`;
  });
  return ['Groups by dependency, each ready when those before it are done', ...limited(lines)];
}

function reasonLines(plan: Plan): string[] {
  const parallel = plan.reasons.filter((reason) => reason.mode === 'parallel');
  const kept = plan.reasons.filter((reason) => reason.mode === 'sequential');
  const lineOf = ({ tasks, detail }: Plan['reasons'][number]): string =>
    `  ${tasks.join(' | ')}: ${detail}`;
  const rest =
    plan.reasons_omitted === null
      ? 'Many more pairs are not listed'
      : `${plan.reasons_omitted} more pairs are not listed`;
  return [
    ...(parallel.length > 0 ? ['In parallel', ...limited(parallel.map(lineOf))] : []),
    ...(kept.length > 0 ? ['Not in parallel', ...limited(kept.map(lineOf))] : []),
    ...(plan.reasons_omitted === 0 ? [] : [rest]),
  ];
}

function conflictLines(plan: Plan): string[] {
  if (plan.conflicts.length === 0) return [];
  const lines = plan.conflicts.map(({ key, tasks, policy, severity, serialised_by }) => {
    const kept = serialised_by === null ? `merged by ${policy}` : `kept apart by ${serialised_by}`;
    return `  ${severity}: ${tasks.join(' and ')} write ${key} (${severity === 'fault' ? 'policy reject' : kept})`;
  });
  const omitted = plan.conflicts_omitted ?? 'many more';
  const more = omitted === 0 ? [] : [`  and ${omitted} not listed`];
  return ['Two writers of one key', ...limited(lines), ...more];
}

const findingTitles = {
  contradiction: 'contradiction',
  late: 'late',
  needless_wait: 'needless wait',
  file_conflict: 'shared file',
  unannounced_read: 'unordered read',
} as const;

function findingLines({ findings }: Plan): string[] {
  if (findings.length === 0) return [];
  const lines = findings.map(({ kind, detail, certain }) => {
    const likely = kind === 'late' && !certain ? ', by estimates' : '';
    return `  ${findingTitles[kind]}${likely}: ${detail}`;
  });
  return ['Worth a look', ...limited(lines)];
}

function adviceLines({ advice }: Plan): string[] {
  if (advice.length === 0) return [];
  const lines = advice.map((one) => {
    return `  ${changeText(one)}: ${readableMs(one.makespan_ms)}, ${readableMs(one.saves_ms)} less`;
  });
  return ['What would help most', ...lines];
}

function changeText({ change, task, on, resource, from, to }: Plan['advice'][number]): string {
  if (change === 'drop_need') return `if ${task ?? ''} did not need ${on ?? ''}`;
  if (change === 'drop_start') return `without not_before of ${task ?? ''}`;
  return `with ${to ?? 0} of ${resource ?? ''} instead of ${from ?? 0}`;
}

function assumptionLines(plan: Plan): string[] {
  return ['Assumed', ...plan.assumptions.map((text) => `  ${text}`)];
}

/** One line per task in order of start: `#` on the critical path, `=` elsewhere; as wide as the columns at most. */
function chart(plan: Plan, columns: number): string[] {
  if (plan.tasks.length === 0) return [];
  const nameColumns = Math.min(
    Math.floor(columns / 3),
    Math.max(...plan.tasks.map((task) => task.id.length)),
  );
  const barColumns = columns - nameColumns - 2;
  const columnOf = (ms: number): number =>
    Math.round((ms / Math.max(plan.makespan_ms, 1)) * barColumns);
  const byStart = [...plan.tasks].sort((a, b) => a.start_ms - b.start_ms);
  const lines = byStart.map(({ id, start_ms, finish_ms, critical }) => {
    const from = Math.min(columnOf(start_ms), barColumns - 1);
    const length = Math.max(1, columnOf(finish_ms) - from);
    const bar = ' '.repeat(from) + (critical ? '#' : '=').repeat(length);
    return `${id.slice(0, nameColumns).padEnd(nameColumns)} |${bar}`;
  });
  return [
    `Timeline, ${readableMs(plan.makespan_ms)} from edge to edge (# critical)`,
    ...limited(lines, 2 * linesShown),
  ];
}

function limited(lines: readonly string[], most = linesShown): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most), `  ... ${lines.length - most} more`];
}

function shortened(ids: readonly string[], separator: string): string {
  if (ids.length <= linesShown) return ids.join(separator);
  return [...ids.slice(0, linesShown), `... ${ids.length - linesShown} more`].join(separator);
}
