import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escaped, planSvg } from '../../../src/cli/render/plan-svg.ts';
import { lanesOf } from '../../../src/planning/lanes.ts';
import { planWorkflow } from '../../../src/planning/plan.ts';
import { workflowOf } from '../../support/workflow-builder.ts';
import { faultOfXml } from '../../support/xml.ts';

function drawn(input: Parameters<typeof workflowOf>[0]): string {
  const workflow = workflowOf(input);
  const plan = planWorkflow(workflow, { budget: 20 });
  return planSvg(plan, lanesOf(workflow, plan));
}

const task = { estimate: 60_000, demand: { cpu: 2 } };

describe('a drawn plan', () => {
  it('is well-formed, whatever tasks are called', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1 }), (names) => {
        const tasks = Object.fromEntries(names.map((name) => [`x${name}`, task]));
        const svg = drawn({ name: names[0] ?? '', tasks, resources: { cpu: 3 } });
        expect(faultOfXml(svg)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it('has a bar for every task, marks the critical ones, and needs nothing from elsewhere', () => {
    const svg = drawn({
      name: 'flow',
      tasks: { a: task, b: { ...task, needs: ['a'] }, c: { estimate: 1000 } },
      resources: { cpu: 3 },
    });
    expect(svg.match(/class="bar/g)).toHaveLength(3);
    expect(svg.match(/class="bar critical"/g)).toHaveLength(2);
    expect(svg).not.toMatch(/href|url\(|<script|@import/);
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).toContain('Critical path: a → b');
  });

  it('has a lane for what tasks compete for, as high as what is in use', () => {
    const svg = drawn({ tasks: { a: task, b: task }, resources: { cpu: 2 } });
    expect(svg).toContain('cpu (2)');
    expect(svg.match(/class="use"/g)).toHaveLength(2);
    expect(drawn({ tasks: { a: task, b: task }, resources: { cpu: 9 } })).not.toContain(
      'class="use"',
    );
  });

  it('has a lane for every lock that is held, and for what members of one task compete for', () => {
    const svg = drawn({
      tasks: { a: { estimate: 1000, demand: { 'lock:schema': 1 } }, b: { estimate: 1000 } },
    });
    expect(svg).toContain('>lock:schema</text>');
    const split = { ...task, expand: { kind: 'for_each', of: [1, 2, 3] } } as const;
    const members = drawn({ tasks: { split }, resources: { cpu: 4 } });
    expect(members).toContain('cpu (4)');
    expect(members.match(/class="use"/g)).toHaveLength(1);
  });

  it('says its colours in attributes, for viewers that know no variables', () => {
    const svg = drawn({ tasks: { a: task, b: task }, resources: { cpu: 2 } });
    expect(svg).not.toContain('var(');
    const shapes = svg.match(/<(rect|text)[^>]*>/g) ?? [];
    expect(shapes.filter((shape) => !/ fill="(#[0-9a-f]{6}|none)"/.test(shape))).toEqual([]);
    const lines = svg.match(/<line[^>]*>/g) ?? [];
    expect(lines.filter((line) => !/ stroke="#[0-9a-f]{6}"/.test(line))).toEqual([]);
  });

  it('has its labels of time at round steps, with room for the last one', () => {
    const svg = drawn({ tasks: { a: { estimate: 190_000 } } });
    const labels = [...svg.matchAll(/class="tick"[^>]* x="([\d.]+)"[^>]*>([^<]*)</g)];
    expect(labels.map(([, , label]) => label)).toEqual(['0s', '1m00s', '2m00s', '3m00s']);
    const whole = drawn({ tasks: { a: { estimate: 180_000 } } });
    const places = [...whole.matchAll(/class="tick"[^>]* x="([\d.]+)"/g)].map(([, x]) => Number(x));
    expect(Math.max(...places)).toBeLessThanOrEqual(960 - 40);
  });

  it('draws an empty plan and a very large one', () => {
    expect(faultOfXml(drawn({ tasks: {} }))).toBeUndefined();
    const tasks = Object.fromEntries(Array.from({ length: 700 }, (_, at) => [`t${at}`, {}]));
    expect(drawn({ tasks })).toContain('200 more tasks are not drawn');
  });
});

describe('escaped', () => {
  it('leaves nothing that means something to XML, or that XML forbids', () => {
    expect(escaped(`<a href="x">&'\u0000\ud800\uffff`)).toBe(
      '&lt;a href=&quot;x&quot;&gt;&amp;&#39;',
    );
  });
});
