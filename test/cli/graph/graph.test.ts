import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chart } from '../../../src/actors/chart.ts';
import { dotChart, dotWorkflow } from '../../../src/cli/graph/dot.ts';
import { mermaidChart, mermaidWorkflow } from '../../../src/cli/graph/mermaid.ts';
import { looseNodes, workflowGraph } from '../../../src/cli/graph/workflow-graph.ts';
import { workflowOf } from '../../support/workflow-builder.ts';

const workflow = workflowOf({
  tasks: {
    spec: {},
    ux: { needs: ['spec'] },
    architecture: { needs: ['spec', { on: 'ux', kind: 'context' }] },
    report: { needs: ['design', { on: 'spec', kind: 'stream' }] },
    review: { needs: [{ on: 'report', kind: 'validation' }] },
  },
  groups: { design: ['ux', 'architecture'] },
});
const graph = workflowGraph(workflow);

const state = (
  id: string,
  parent: string | null,
  parts: Partial<Chart['states'][number]> = {},
): Chart['states'][number] => ({
  id,
  key: id.split('.').at(-1) ?? id,
  parent,
  kind: 'atomic',
  initial: [],
  entry: [],
  exit: [],
  invokes: [],
  description: '',
  ...parts,
});
const move = (
  from: string,
  to: readonly string[],
  event: string,
): Chart['transitions'][number] => ({
  from,
  to,
  event,
  guard: 'ok',
  actions: ['note'],
  reenter: false,
  description: '',
});
const chart: Chart = {
  id: 'm',
  description: '',
  states: [
    state('m', null, { kind: 'compound', initial: ['m.a'] }),
    state('m.a', 'm', { invokes: [{ id: 'job', src: 'fetch' }] }),
    state('m.b', 'm', { kind: 'compound', initial: ['m.b.x'] }),
    state('m.b.x', 'm.b'),
    state('m.end', 'm', { kind: 'final' }),
  ],
  transitions: [
    move('m.a', ['m.b'], 'GO'),
    move('m.b', ['m.end'], ''),
    move('m.a', [], 'TICK'),
    move('m', ['m.end'], 'STOP'),
    move('m.b', ['m.b.x'], 'AGAIN'),
  ],
};

describe('the graph of a workflow', () => {
  it('has a node per task, a cluster per group and an edge per need with its kind', () => {
    expect(graph.nodes.map(({ id }) => id)).toEqual([
      'spec',
      'ux',
      'architecture',
      'report',
      'review',
    ]);
    expect(graph.clusters).toMatchObject([{ id: 'design', members: ['ux', 'architecture'] }]);
    expect(graph.edges.map(({ from, kind, to }) => `${from} ${kind} ${to}`)).toEqual([
      'spec data ux',
      'spec data architecture',
      'ux context architecture',
      'design data report',
      'spec stream report',
      'report validation review',
    ]);
    expect(looseNodes(graph).map(({ id }) => id)).toEqual(['spec', 'report', 'review']);
  });

  it('is drawn in Mermaid with groups around their members and a style for each kind of need', () => {
    const drawn = mermaidWorkflow(graph);
    expect(drawn).toMatch(
      /subgraph (\w+)\["design \(fork join\)"\]\n {4}\w+\["ux<br\/>[^"]*"\]\n {4}\w+\["architecture/,
    );
    expect(drawn).toMatch(/\w+_ux -\.->\|context\| \w+_architecture/);
    expect(drawn).toMatch(/\w+_design --> \w+_report/);
    expect(drawn).toMatch(/\w+_report ==>\|validation\| \w+_review/);
  });

  it('is drawn in DOT with edges of a group cut off at its border', () => {
    const drawn = dotWorkflow(graph);
    expect(drawn).toContain('subgraph "cluster_design" {');
    expect(drawn).toContain('"architecture" -> "report" [style=solid, ltail="cluster_design"];');
    expect(drawn).toContain('"ux" -> "architecture" [style=dotted, label="context"];');
  });
});

describe('the chart of a machine', () => {
  it('is drawn in Mermaid with nesting, starts, ends, transitions, and notes for what moves nothing', () => {
    const drawn = mermaidChart(chart);
    expect(drawn).toMatch(/^---\ntitle: "m"\n---\nstateDiagram-v2\n {2}\[\*\] --> \w+_m_a\n/);
    expect(drawn).toMatch(/state "b" as \w+_m_b \{\n {4}\[\*\] --> \w+_m_b_x/);
    expect(drawn).toMatch(/\w+_m_a --> \w+_m_b : GO \[ok\] \/ note/);
    expect(drawn).toMatch(/\w+_m_b --> \w+_m_end : always \[ok\]/);
    expect(drawn).toMatch(/\w+_m_end --> \[\*\]/);
    expect(drawn).toMatch(
      /note right of \w+_m_a\n {4}invokes fetch\n {4}TICK \[ok\] \/ note\n {2}end note/,
    );
  });

  it('has no arrow from a state into itself, which neither format can draw', () => {
    const drawn = mermaidChart(chart);
    expect(drawn).toMatch(/state "any state" as (\w+)\n[^]*\1 --> \w+_m_end : STOP/);
    expect(drawn).toMatch(/note right of \w+_m_b\n {4}AGAIN \[ok\] \/ note → x\n/);
    expect(dotChart(chart)).toContain('label="b\\nAGAIN [ok] / note → x";');
  });

  it('is drawn in DOT with nested clusters and edges between them', () => {
    const drawn = dotChart(chart);
    expect(drawn).toContain('subgraph "cluster_m.b" {');
    expect(drawn).toContain('"m.a" -> "m.b.x" [label="GO [ok] / note", lhead="cluster_m.b"];');
    expect(drawn).toContain('"m.end" [label="end", peripheries=2];');
  });
});

describe('names of any spelling', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), {
    minLength: 2,
    maxLength: 6,
  });

  it('cannot break out of a Mermaid label, and no two share an id', () => {
    fc.assert(
      fc.property(names, (ids) => {
        const nodes = ids.map((id) => ({
          id,
          agent: 'x',
          expands: null,
          conditional: false,
          demand: {},
        }));
        const lines = mermaidWorkflow({ name: 'n', clusters: [], nodes, edges: [] })
          .trimEnd()
          .split('\n')
          .slice(1);
        expect(lines).toHaveLength(ids.length);
        for (const line of lines) expect(line).toMatch(/^ {2}t\d+_\w*\["[^"<>]*<br\/>x"\]$/);
        expect(new Set(lines.map((line) => line.split('[')[0])).size).toBe(ids.length);
      }),
    );
  });

  it('cannot break out of a DOT string', () => {
    fc.assert(
      fc.property(names, (ids) => {
        const nodes = ids.map((id) => ({
          id,
          agent: 'x',
          expands: null,
          conditional: false,
          demand: {},
        }));
        const lines = dotWorkflow({ name: 'n', clusters: [], nodes, edges: [] })
          .trimEnd()
          .split('\n')
          .slice(4, -1);
        expect(lines).toHaveLength(ids.length);
        for (const line of lines)
          expect(line).toMatch(/^ {2}"(?:[^"\\]|\\.)*" \[label="(?:[^"\\]|\\.)*"\];$/);
      }),
    );
  });
});
