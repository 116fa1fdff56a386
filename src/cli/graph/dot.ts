import type { Chart, ChartState } from '../../actors/chart.ts';
import type { NeedKind } from '../../workflow/model.ts';
import { oneLine } from '../render/width.ts';
import { inwardNotes, isInside, stateNotes, transitionLabel } from './labels.ts';
import { looseNodes, nodeLabel } from './workflow-graph.ts';
import type { GraphEdge, GraphNode, WorkflowGraph } from './workflow-graph.ts';

const styles: { readonly [kind in NeedKind]: string } = {
  data: 'style=solid',
  context: 'style=dotted, label="context"',
  validation: 'style=bold, label="validation"',
  stream: 'style=dashed, label="stream"',
};

/** A workflow as a Graphviz digraph. */
export function dotWorkflow(graph: WorkflowGraph): string {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const lines = [
    `digraph ${quoted(graph.name)} {`,
    '  compound=true;',
    '  rankdir=TB;',
    '  node [shape=box, style=rounded];',
  ];
  for (const { id, members, mode } of graph.clusters) {
    lines.push(
      `  subgraph ${quoted(`cluster_${id}`)} {`,
      `    label=${quoted(`${id} (${mode.replace('_', ' ')})`)};`,
    );
    for (const member of members) {
      const node = byId.get(member);
      if (node) lines.push(nodeLine(node, '    '));
    }
    lines.push('  }');
  }
  lines.push(...looseNodes(graph).map((node) => nodeLine(node, '  ')));
  lines.push(...graph.edges.map((edge) => edgeLine(edge, graph)), '}');
  return `${lines.join('\n')}\n`;
}

/** A machine as a Graphviz digraph, states nested in clusters. */
export function dotChart(chart: Chart): string {
  const root = chart.states[0];
  const lines = [
    `digraph ${quoted(chart.id)} {`,
    '  compound=true;',
    '  node [shape=box, style=rounded];',
  ];
  if (root) lines.push(...stateLines(root, chart, '  '));
  const leaf = new Map(chart.states.map((state) => [state.id, leafOf(state, chart)]));
  for (const transition of chart.transitions) {
    const drawn = transition.to.filter((target) => !isInside(target, transition.from, chart));
    const extra = `label=${quoted(transitionLabel(transition))}`;
    lines.push(...drawn.map((target) => arrow(transition.from, target, { leaf, chart, extra })));
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

function nodeLine(node: GraphNode, indent: string): string {
  return `${indent}${quoted(node.id)} [label=${quoted(nodeLabel(node).join('\n'))}];`;
}

/** Graphviz draws an edge from a cluster as one from a member that is cut off at the cluster's border. */
function edgeLine({ from, from_kind, kind, to }: GraphEdge, graph: WorkflowGraph): string {
  if (from_kind === 'task') return `  ${quoted(from)} -> ${quoted(to)} [${styles[kind]}];`;
  const members = graph.clusters.find(({ id }) => id === from)?.members ?? [];
  const member = members.at(-1) ?? from;
  return `  ${quoted(member)} -> ${quoted(to)} [${styles[kind]}, ltail=${quoted(`cluster_${from}`)}];`;
}

function stateLines(state: ChartState, chart: Chart, indent: string): readonly string[] {
  const children = chart.states.filter(({ parent }) => parent === state.id);
  const text = [state.key, ...stateNotes(state, chart), ...inwardNotes(state, chart)];
  if (children.length === 0) {
    const shape = state.kind === 'final' ? ', peripheries=2' : '';
    return [`${indent}${quoted(state.id)} [label=${quoted(text.join('\n'))}${shape}];`];
  }
  const dashed = state.kind === 'parallel' ? [`${indent}  style=dashed;`] : [];
  return [
    `${indent}subgraph ${quoted(`cluster_${state.id}`)} {`,
    `${indent}  label=${quoted(text.join('\n'))};`,
    ...dashed,
    ...startLines(state, chart, `${indent}  `),
    ...children.flatMap((child) => stateLines(child, chart, `${indent}  `)),
    `${indent}}`,
  ];
}

function startLines(state: ChartState, chart: Chart, indent: string): readonly string[] {
  const leaf = new Map(chart.states.map((each) => [each.id, leafOf(each, chart)]));
  return state.initial.flatMap((target) => {
    const start = `${state.id} start`;
    const edge = `${quoted(start)} -> ${quoted(leaf.get(target) ?? target)}${headAt(target, chart, '')}`;
    return [`${indent}${quoted(start)} [shape=point];`, `${indent}${edge};`];
  });
}

interface ArrowOptions {
  readonly leaf: ReadonlyMap<string, string>;
  readonly chart: Chart;
  readonly extra: string;
}

function arrow(from: string, to: string, { chart, extra, leaf }: ArrowOptions): string {
  const tail = isCompound(from, chart) ? `, ltail=${quoted(`cluster_${from}`)}` : '';
  return `  ${quoted(leaf.get(from) ?? from)} -> ${quoted(leaf.get(to) ?? to)}${headAt(to, chart, `${extra}${tail}`)};`;
}

function headAt(target: string, chart: Chart, attributes: string): string {
  const head = isCompound(target, chart) ? `lhead=${quoted(`cluster_${target}`)}` : '';
  const all = [attributes, head].filter((text) => text !== '').join(', ');
  return all === '' ? '' : ` [${all}]`;
}

function isCompound(id: string, chart: Chart): boolean {
  return chart.states.some(({ parent }) => parent === id);
}

/** The first state without children in a state: what edges hang on. */
function leafOf(state: ChartState, chart: Chart): string {
  const child = chart.states.find(({ parent }) => parent === state.id);
  return child ? leafOf(child, chart) : state.id;
}

function quoted(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => oneLine(line).replaceAll('\\', '\\\\').replaceAll('"', '\\"'));
  return `"${lines.join('\\n')}"`;
}
