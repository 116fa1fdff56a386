import { describe, expect, it } from 'vitest';
import { faultsOf, validated } from './checked.ts';

const agents = 'agents: { w: { uses: simulate } }\ndefaults: { agent: w }\n';

describe('a fault', () => {
  it('in the word tasks is the only one', async () => {
    const text = `${agents}taks: { a: , b: }
groups: { g: { tasks: [a, b], barrier: { min_success: 2, required: [a] } } }
tiers: [{ mode: sequential, workers: [a, b] }]
resources: { gpu: 2 }
outputs: { x: "\${tasks.a.output}" }`;
    const { faults, warnings } = await validated(text);
    expect(faults).toMatchObject([{ path: 'taks', hint: 'Did you mean "tasks"?' }]);
    expect(warnings).toEqual([]);
  });

  it('in a need is the only one of who uses what it would wait for', async () => {
    const text = `${agents}tasks:
  a: { writes: [x.k] }
  b: { needs: [{ group: gathr }], with: "\${groups.gather.output}", writes: [x.k] }
  c: { needs: [b], with: "\${tasks.a.output}" }
  d: { with: "\${tasks.a.output}" }
groups: { gather: { tasks: [a] } }
memory: { keys: { x.k: { merge: reject } } }`;
    expect(await faultsOf(text)).toEqual([
      'TRP_WORKFLOW_UNKNOWN_REF 5:25 tasks.b.needs[0].group',
      'TRP_WORKFLOW_INVALID 7:14 tasks.d.with',
    ]);
  });

  it('in a member is the only one of its group', async () => {
    const text = `${agents}tasks:
  steady: {}
  other: {}
  end: { needs: [g], with: "\${tasks.steady.output}" }
groups:
  g: { tasks: [stedy, other], barrier: { min_success: 2, required: [stedy] } }`;
    expect(await faultsOf(text)).toEqual(['TRP_WORKFLOW_UNKNOWN_REF 8:16 groups.g.tasks[0]']);
  });

  it('in a worker is the only one of its tier', async () => {
    const text = `${agents}tasks: { a: , b: }
tiers:
  - { mode: parallel, workers: [x1, x2], barrier: { min_success: 2, expected: 2 } }`;
    expect(await faultsOf(text)).toEqual([
      'TRP_WORKFLOW_UNKNOWN_REF 5:33 tiers[0].workers[0]',
      'TRP_WORKFLOW_UNKNOWN_REF 5:37 tiers[0].workers[1]',
    ]);
  });

  it('in a required key is told once', async () => {
    expect(
      await faultsOf(`${agents}tasks: { a: }\ntiers:\n  - { mod: sequential, workers: [a] }`),
    ).toEqual(['TRP_WORKFLOW_UNKNOWN_KEY 5:7 tiers[0].mod']);
  });

  it.each([
    [
      'tasks: { read: , style: , report: { needs: [zzzzzzzz] } }',
      'Tasks here: read, style, report.',
    ],
    ['tasks: { read: { agent: zzzzzzzz } }', 'Agents here: w.'],
    ['tasks: { read: { with: "${groups.zzzzzzzz.output}" } }', 'There are no groups here.'],
    ['tasks: { read: }\noutputs: { x: "${tasks.zzzzzzzz.output}" }', 'Tasks here: read.'],
    ['tasks: { read: }\ngroups: { g: { tasks: [read, zzzzzzzz] } }', 'Tasks here: read.'],
    ['tasks: { read: }\ntiers: [{ mode: sequential, workers: [zzzzzzzz] }]', 'Tasks here: read.'],
    [
      `tasks: { ${'abcdefghij'.split('').join(': , ')}: { needs: [zzzzzzzz] } }`,
      'Tasks here: a, b, c, d, e, f, g, h ...',
    ],
  ])('in a name lists the names that there are: %s', async (text, hint) => {
    const { faults } = await validated(`${agents}${text}`);
    expect(faults).toMatchObject([{ code: 'TRP_WORKFLOW_UNKNOWN_REF', hint }]);
  });
});
