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

/** Formats that a graph can be written in. */
export const graphFormats = ['mermaid', 'dot', 'json'] as const;

/** What `troupe graph` takes besides the file. */
export interface GraphOptions {
  readonly machines?: boolean;
  /** Default: mermaid. */
  readonly format?: (typeof graphFormats)[number];
}

/** `troupe graph FILE` draws a workflow; `troupe graph --machines [NAME]` the machines that Troupe runs by. */
export async function graph(shell: Shell, named: string | undefined, options: GraphOptions): Promise<number> {
  const { format = 'mermaid' } = options;
  if (options.machines === true) await drawMachines(shell, named, format);
  else await drawWorkflow(shell, named, format);
  return exitCodes.ok;
}

type GraphFormat = (typeof graphFormats)[number];

async function drawWorkflow(shell: Shell, file: string | undefined, format: GraphFormat): Promise<void> {
  if (file === undefined) throw new TroupeError('TRP_OPTION_INVALID', 'graph needs a workflow file, or --machines');
  const { workflow } = await openWorkflowFile(shell, file);
  const drawn = workflowGraph(workflow);
  if (format === 'json') writeJson(shell, { format: 1, ...drawn });
  else shell.out(format === 'dot' ? dotWorkflow(drawn) : mermaidWorkflow(drawn));
}

async function drawMachines(shell: Shell, named: string | undefined, format: GraphFormat): Promise<void> {
  const { allMachines } = await import('../../supervisors/machines.ts');
  const charts = chosen(allMachines(), named);
  if (format === 'json') return writeJson(shell, { format: 1, machines: charts.map(([name, chart]) => ({ name, ...chart })) });
  const [comment, draw] = format === 'dot' ? (['//', dotChart] as const) : (['%%', mermaidChart] as const);
  shell.out(charts.map(([name, chart]) => `${comment} ${name}\n${draw(chart)}`).join('\n'));
}

function chosen(machines: { readonly [name: string]: object }, named: string | undefined): readonly (readonly [string, Chart])[] {
  const entries = Object.entries(machines).map(([name, machine]) => [name, chartOf(machine as Parameters<typeof chartOf>[0])] as const);
  const found = named === undefined ? entries : entries.filter(([name]) => name === named);
  if (found.length > 0) return found;
  const names = Object.keys(machines).join(', ');
  throw new TroupeError('TRP_OPTION_INVALID', `no machine is named ${JSON.stringify(named)}`, { hint: `Machines: ${names}.` });
}
