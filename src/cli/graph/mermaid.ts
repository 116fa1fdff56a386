import type { Chart, ChartState, ChartTransition } from '../../actors/chart.ts';
import type { NeedKind } from '../../workflow/model.ts';
import { oneLine } from '../render/width.ts';
import { transitionLabel } from './labels.ts';
import { looseNodes, nodeLabel } from './workflow-graph.ts';
import type { GraphNode, WorkflowGraph } from './workflow-graph.ts';

/** Solid: blocks. Dotted: used if there. Thick: checks. A stream begins before its source has ended. */
const arrows: { readonly [kind in NeedKind]: string } = {
  data: '-->',
  context: '-.->|context|',
  validation: '==>|validation|',
  stream: '-->|stream|',
};

/** A workflow as a Mermaid flowchart. */
export function mermaidWorkflow(graph: WorkflowGraph): string {
  const ids = new Names();
  const nodeLine = (node: GraphNode, indent: string): string =>
    `${indent}${ids.of('task', node.id)}["${nodeLabel(node).map(escaped).join('<br/>')}"]`;
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const lines = ['flowchart TD'];
  for (const { id, members, mode } of graph.clusters) {
    lines.push(`  subgraph ${ids.of('group', id)}["${escaped(id)} (${mode.replace('_', ' ')})"]`);
    for (const member of members) {
      const node = byId.get(member);
      if (node) lines.push(nodeLine(node, '    '));
    }
    lines.push('  end');
  }
  lines.push(...looseNodes(graph).map((node) => nodeLine(node, '  ')));
  lines.push(...graph.edges.map(({ from, from_kind, kind, to }) => `  ${ids.of(from_kind, from)} ${arrows[kind]} ${ids.of('task', to)}`));
  return `${lines.join('\n')}\n`;
}

/** A machine as a Mermaid state diagram. Mermaid has no arrow for what changes no state: that is a note. */
export function mermaidChart(chart: Chart): string {
  const ids = new Names();
  const lines = ['stateDiagram-v2'];
  const children = childrenOf(chart);
  const root = chart.states[0];
  if (root) lines.push(...stateLines(root, { ids, children, indent: '  ', isRoot: true }));
  lines.push(...chart.transitions.flatMap((transition) => arrowsOf(transition, ids)));
  lines.push(...chart.states.flatMap((state) => noteLines(state, chart.transitions, ids)));
  return `${lines.join('\n')}\n`;
}

interface Drawing {
  readonly ids: Names;
  readonly children: ReadonlyMap<string, readonly ChartState[]>;
  readonly indent: string;
  readonly isRoot: boolean;
}

function stateLines(state: ChartState, drawing: Drawing): readonly string[] {
  const { children, ids, indent, isRoot } = drawing;
  const inner = children.get(state.id) ?? [];
  const id = ids.of('state', state.id);
  const named = `${indent}state "${escaped(isRoot ? state.id : state.key)}" as ${id}`;
  const final = state.kind === 'final' ? [`${indent}${id} --> [*]`] : [];
  if (inner.length === 0) return [named, ...final];
  const body = inner.map((child) => stateLines(child, { ...drawing, indent: `${indent}  `, isRoot: false }));
  const between = state.kind === 'parallel' ? [`${indent}  --`] : [];
  const starts = state.initial.map((target) => `${indent}  [*] --> ${ids.of('state', target)}`);
  const inside = body.flatMap((lines, index) => (index === 0 ? lines : [...between, ...lines]));
  return [`${named} {`, ...starts, ...inside, `${indent}}`];
}

function arrowsOf(transition: ChartTransition, ids: Names): readonly string[] {
  const from = ids.of('state', transition.from);
  return transition.to.map((target) => `  ${from} --> ${ids.of('state', target)} : ${colonFree(transitionLabel(transition))}`);
}

function noteLines(state: ChartState, transitions: readonly ChartTransition[], ids: Names): readonly string[] {
  const stays = transitions.filter(({ from, to }) => from === state.id && to.length === 0).map(transitionLabel);
  const invokes = state.invokes.map(({ src }) => `invokes ${src}`);
  const actions = [...state.entry.map((name) => `entry / ${name}`), ...state.exit.map((name) => `exit / ${name}`)];
  const notes = [...invokes, ...actions, ...stays].map(colonFree);
  if (notes.length === 0 || state.parent === null) return [];
  return [`  note right of ${ids.of('state', state.id)}`, ...notes.map((note) => `    ${note}`), '  end note'];
}

function childrenOf(chart: Chart): ReadonlyMap<string, readonly ChartState[]> {
  const children = new Map<string, ChartState[]>();
  for (const state of chart.states) {
    if (state.parent !== null) children.set(state.parent, [...(children.get(state.parent) ?? []), state]);
  }
  return children;
}

/** Names that Mermaid takes, one for each id: letters, digits and `_`, with a number so that no two are equal and none is a keyword. */
class Names {
  private readonly given = new Map<string, string>();

  of(kind: 'task' | 'group' | 'state', id: string): string {
    const key = `${kind} ${id}`;
    const known = this.given.get(key);
    if (known !== undefined) return known;
    const name = `${kind[0] ?? ''}${this.given.size}_${id.replace(/[^A-Za-z0-9]+/g, '_')}`;
    this.given.set(key, name);
    return name;
  }
}

/** Mermaid's own entities: `#` and a code point in decimal and `;`. */
function escaped(text: string): string {
  return oneLine(text).replace(/["#<>&;\\{}|`]/g, (character) => `#${character.codePointAt(0) ?? 0};`);
}

function colonFree(text: string): string {
  return escaped(text).replaceAll(':', '#58;');
}
