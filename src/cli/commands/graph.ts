import { chartOf } from '../../actors/chart.ts';
import type { Chart } from '../../actors/chart.ts';
import { TroupeError } from '../../core/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { dotChart, dotWorkflow } from '../graph/dot.ts';
import { mermaidChart, mermaidWorkflow } from '../graph/mermaid.ts';
import { workflowGraph } from '../graph/workflow-graph.ts';
import { writeJson } from '../output.ts';
import type { Shell } from '../shell.ts';
import { openWorkflowFile } from '../workflow-file.ts';

/** What `troupe graph` takes besides the file. */
export interface GraphOptions {
  readonly machines?: boolean;
  /** Default: mermaid. */
  readonly format?: GraphFormat;
}

/** `troupe graph FILE` draws a workflow; `troupe graph --machines [NAME]` the machines that Troupe runs by. */
export async function graph(
  shell: Shell,
  named: string | undefined,
  options: GraphOptions,
): Promise<number> {
  const { format = 'mermaid' } = options;
  if (options.machines === true) await drawMachines(shell, named, format);
  else await drawWorkflow(shell, named, format);
  return exitCodes.ok;
}

type NamedChart = readonly [name: string, chart: Chart];

type GraphFormat = 'mermaid' | 'dot' | 'json';

async function drawWorkflow(
  shell: Shell,
  file: string | undefined,
  format: GraphFormat,
): Promise<void> {
  if (file === undefined)
    throw new TroupeError('TRP_OPTION_INVALID', 'a workflow file is missing', {
      hint: 'Name it: troupe graph FILE. Without one there are the state machines: troupe graph --machines.',
    });
  const { workflow } = await openWorkflowFile(shell, file);
  const drawn = workflowGraph(workflow);
  if (format === 'json') writeJson(shell, { format: 1, ...drawn });
  else shell.out(format === 'dot' ? dotWorkflow(drawn) : mermaidWorkflow(drawn));
}

async function drawMachines(
  shell: Shell,
  named: string | undefined,
  format: GraphFormat,
): Promise<void> {
  const { allMachines } = await import('../../supervisors/machines.ts');
  const charts = chosen(allMachines(), named);
  if (format === 'json')
    return writeJson(shell, {
      format: 1,
      machines: charts.map(([name, chart]) => ({ name, ...chart })),
    });
  shell.out(
    format === 'dot' ? charts.map(([, chart]) => dotChart(chart)).join('\n') : mermaidPage(charts),
  );
}

/** One machine is a diagram; several are Markdown with a diagram each, since a Mermaid text holds but one. */
function mermaidPage(charts: readonly NamedChart[]): string {
  const [only, ...others] = charts;
  if (only && others.length === 0) return mermaidChart(only[1]);
  return charts
    .map(([name, chart]) => `## ${name}\n\n\`\`\`mermaid\n${mermaidChart(chart)}\`\`\`\n`)
    .join('\n');
}

function chosen(
  machines: { readonly [name: string]: object },
  named: string | undefined,
): readonly NamedChart[] {
  const entries = Object.entries(machines).map(
    ([name, machine]) => [name, chartOf(machine as Parameters<typeof chartOf>[0])] as const,
  );
  const found = named === undefined ? entries : entries.filter(([name]) => name === named);
  if (found.length > 0) return found;
  const names = Object.keys(machines).join(', ');
  throw new TroupeError('TRP_OPTION_INVALID', `no machine is named ${JSON.stringify(named)}`, {
    hint: `Machines: ${names}.`,
  });
}
