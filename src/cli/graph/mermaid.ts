import type { Chart, ChartState, ChartTransition } from '../../actors/chart.ts';
import type { NeedKind } from '../../workflow/model.ts';
import { oneLine } from '../render/width.ts';
import { inwardNotes, isInside, stateNotes, transitionLabel } from './labels.ts';
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
  lines.push(
    ...graph.edges.map(
      ({ from, from_kind, kind, to }) =>
        `  ${ids.of(from_kind, from)} ${arrows[kind]} ${ids.of('task', to)}`,
    ),
  );
  return `${lines.join('\n')}\n`;
}

/**
 * A machine as a Mermaid state diagram. The machine itself is the diagram; what it does in any state comes
 * from a node of that name.
 */
export function mermaidChart(chart: Chart): string {
  const [root] = chart.states;
  const ids = new Names();
  const children = childrenOf(chart);
  const lines = ['---', `title: ${JSON.stringify(chart.id)}`, '---', 'stateDiagram-v2'];
  if (!root) return `${lines.join('\n')}\n`;
  lines.push(
    ...innerLines(root, { ids, children, indent: '  ' }),
    ...anyStateLines(root, chart, ids),
  );
  lines.push(...chart.transitions.flatMap((transition) => arrowsOf(transition, chart, ids)));
  lines.push(...chart.states.flatMap((state) => noteLines(state, chart, ids)));
  return `${lines.join('\n')}\n`;
}

interface Drawing {
  readonly ids: Names;
  readonly children: ReadonlyMap<string, readonly ChartState[]>;
  readonly indent: string;
}

/** Starts and states within a state; the regions of a parallel one are kept apart. */
function innerLines(state: ChartState, drawing: Drawing): readonly string[] {
  const { children, ids, indent } = drawing;
  const between = state.kind === 'parallel' ? [`${indent}--`] : [];
  const starts = state.initial.map((target) => `${indent}[*] --> ${ids.of('state', target)}`);
  const inner = (children.get(state.id) ?? []).map((child) => stateLines(child, drawing));
  return [
    ...starts,
    ...inner.flatMap((lines, index) => (index === 0 ? lines : [...between, ...lines])),
  ];
}

function stateLines(state: ChartState, drawing: Drawing): readonly string[] {
  const { children, ids, indent } = drawing;
  const id = ids.of('state', state.id);
  const named = `${indent}state "${escaped(state.key)}" as ${id}`;
  const final = state.kind === 'final' ? [`${indent}${id} --> [*]`] : [];
  if (!children.has(state.id)) return [named, ...final];
  return [`${named} {`, ...innerLines(state, { ...drawing, indent: `${indent}  ` }), `${indent}}`];
}

/** The node that stands for the machine itself, if anything begins there. */
function anyStateLines(root: ChartState, chart: Chart, ids: Names): readonly string[] {
  const isNeeded =
    chart.transitions.some(({ from }) => from === root.id) || stateNotes(root, chart).length > 0;
  return isNeeded ? [`  state "any state" as ${ids.of('state', root.id)}`] : [];
}

function arrowsOf(transition: ChartTransition, chart: Chart, ids: Names): readonly string[] {
  const isRoot = transition.from === chart.states[0]?.id;
  const drawn = transition.to.filter(
    (target) => isRoot || !isInside(target, transition.from, chart),
  );
  const label = colonFree(transitionLabel(transition));
  return drawn.map(
    (target) => `  ${ids.of('state', transition.from)} --> ${ids.of('state', target)} : ${label}`,
  );
}

function noteLines(state: ChartState, chart: Chart, ids: Names): readonly string[] {
  const inward = state.parent === null ? [] : inwardNotes(state, chart);
  const notes = [...stateNotes(state, chart), ...inward].map(colonFree);
  if (notes.length === 0) return [];
  return [
    `  note right of ${ids.of('state', state.id)}`,
    ...notes.map((note) => `    ${note}`),
    '  end note',
  ];
}

function childrenOf(chart: Chart): ReadonlyMap<string, readonly ChartState[]> {
  const children = new Map<string, ChartState[]>();
  for (const state of chart.states) {
    if (state.parent !== null)
      children.set(state.parent, [...(children.get(state.parent) ?? []), state]);
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
  return oneLine(text).replace(
    /["#<>&;\\{}|`]/g,
    (character) => `#${character.codePointAt(0) ?? 0};`,
  );
}

function colonFree(text: string): string {
  return escaped(text).replaceAll(':', '#58;');
}
