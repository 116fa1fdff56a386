import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../src/core/errors.ts';
import { parseWorkflow, validateDocument } from '../../src/workflow/validate.ts';
import { faultsOf, validated } from './checked.ts';

/** Each document has one fault; the place is where an editor would put the cursor. */
const cases: readonly (readonly [string, string, string])[] = [
  ['text that is not YAML', 'tasks: {a: [}', 'TRP_WORKFLOW_SYNTAX 1:13 '],
  [
    'a key that stands twice',
    'tasks:\n  a: {uses: simulate}\n  a: {uses: simulate}',
    'TRP_WORKFLOW_DUPLICATE_KEY 2:3 tasks.a',
  ],
  [
    'a key in two spellings',
    'tasks:\n  a: {uses: simulate}\n  b:\n    uses: simulate\n    needs: [a]\n    depends_on: [a]',
    'TRP_WORKFLOW_DUPLICATE_KEY 5:5 tasks.b.needs',
  ],
  [
    'a value of the wrong shape',
    'tasks:\n  a:\n    uses: simulate\n    timeout: soon',
    'TRP_WORKFLOW_INVALID 4:14 tasks.a.timeout',
  ],
  [
    'a priority out of range',
    'tasks: {a: {uses: simulate, priority: 11}}',
    'TRP_WORKFLOW_INVALID 1:39 tasks.a.priority',
  ],
  [
    'a version of the future',
    'version: 2\ntasks: {a: {uses: simulate}}',
    'TRP_WORKFLOW_INVALID 1:10 version',
  ],
  ['a bad name', 'tasks:\n  "a.b": {uses: simulate}', 'TRP_WORKFLOW_INVALID 2:3 tasks.a.b'],
  ['no tasks', 'name: x', 'TRP_WORKFLOW_INVALID 1:1 tasks'],
  ['empty tasks', 'name: x\ntasks: {}', 'TRP_WORKFLOW_INVALID 2:1 tasks'],
  [
    'a tier without a mode',
    'tasks: {a: {uses: simulate}}\ntiers:\n  - {workers: [a]}',
    'TRP_WORKFLOW_INVALID 3:5 tiers[0].mode',
  ],
  [
    'a function without a module',
    'tasks:\n  a: {uses: function}',
    'TRP_WORKFLOW_INVALID 2:13 tasks.a.uses',
  ],
  [
    'a command without a program',
    'tasks:\n  a: {uses: command}',
    'TRP_WORKFLOW_INVALID 2:13 tasks.a.uses',
  ],
  [
    'an agent that does not say how it works',
    'agents:\n  w: {env: [X]}\ntasks: {w: }',
    'TRP_WORKFLOW_INVALID 2:3 agents.w',
  ],
  [
    'an agent declared twice',
    'agents: {a: {uses: simulate}}\ntasks: {a: {uses: simulate}}',
    'TRP_WORKFLOW_INVALID 2:9 tasks.a',
  ],
  [
    'an agent named and declared',
    'agents: {w: {uses: simulate}}\ntasks: {a: {uses: simulate, agent: w}}',
    'TRP_WORKFLOW_INVALID 2:36 tasks.a.agent',
  ],
  [
    'two expansions',
    'tasks: {a: {uses: simulate, aspects: [x], for_each: "${input.l}"}}',
    'TRP_WORKFLOW_INVALID 1:43 tasks.a.for_each',
  ],
  [
    'a barrier without members',
    'tasks: {a: {uses: simulate, barrier: {timeout: 1m}}}',
    'TRP_WORKFLOW_INVALID 1:29 tasks.a.barrier',
  ],
  [
    'a task in two groups',
    'defaults: {agent: w}\nagents: {w: {uses: simulate}}\ntasks: {a: , b: }\ngroups:\n  g: {tasks: [a]}\n  h: {tasks: [b, a]}',
    'TRP_WORKFLOW_INVALID 6:18 groups.h.tasks[1]',
  ],
  [
    'a group named like a task',
    'tasks: {a: {uses: simulate}, g: {uses: simulate}}\ngroups:\n  g: {tasks: [a]}',
    'TRP_WORKFLOW_INVALID 3:3 groups.g',
  ],
  [
    'a group that should validate',
    'tasks: {a: {uses: simulate}, b: {uses: simulate, needs: [{group: g, kind: validation}]}}\ngroups: {g: {tasks: [a]}}',
    'TRP_WORKFLOW_INVALID 1:75 tasks.b.needs[0].kind',
  ],
  [
    'an expression without waiting',
    'tasks:\n  a: {uses: simulate}\n  b: {uses: simulate, with: {x: ["${tasks.a.output}"]}}',
    'TRP_WORKFLOW_INVALID 3:34 tasks.b.with.x[0]',
  ],
  [
    'an expression that cannot be read',
    'tasks: {a: {uses: simulate, with: "${tasks.}"}}',
    'TRP_WORKFLOW_INVALID 1:35 tasks.a.with',
  ],
  [
    'a number that JSON lacks',
    'tasks: {a: {uses: simulate, with: .nan}}',
    'TRP_WORKFLOW_INVALID 1:35 tasks.a.with',
  ],
  [
    'an unknown key at the top',
    'task: {}\ntasks: {a: {uses: simulate}}',
    'TRP_WORKFLOW_UNKNOWN_KEY 1:1 task',
  ],
  [
    'an unknown key in a task',
    'tasks:\n  a: {uses: simulate, tiemout: 3s}',
    'TRP_WORKFLOW_UNKNOWN_KEY 2:23 tasks.a.tiemout',
  ],
  [
    'an unknown key in a need',
    'tasks:\n  a: {uses: simulate}\n  b: {uses: simulate, needs: [{task: a, kin: data}]}',
    'TRP_WORKFLOW_UNKNOWN_KEY 3:41 tasks.b.needs[0].kin',
  ],
  [
    'an unsupported behaviour',
    'agents: {w: {uses: model}}\ntasks: {w: }',
    'TRP_WORKFLOW_UNSUPPORTED 1:20 agents.w.uses',
  ],
  [
    'an unsupported block',
    'caching_system: {cache_levels: {}}\ntasks: {a: {uses: simulate}}',
    'TRP_WORKFLOW_UNSUPPORTED 1:1 caching_system',
  ],
  [
    'an unsupported key of a task',
    'tasks: {a: {uses: simulate, cache: {after: 3s}}}',
    'TRP_WORKFLOW_UNSUPPORTED 1:29 tasks.a.cache',
  ],
  [
    'an unsupported merger',
    'tasks: {a: {uses: simulate}}\nmemory: {keys: {"a.*": {merge: semantic}}}',
    'TRP_WORKFLOW_UNSUPPORTED 2:32 memory.keys.a.*.merge',
  ],
  [
    'batches of a fan-out',
    'tasks: {a: {uses: simulate, for_each: {of: "${input.l}", batch: {size: 3}}}}',
    'TRP_WORKFLOW_UNSUPPORTED 1:58 tasks.a.for_each.batch',
  ],
  [
    'an unsupported resource block',
    'tasks: {a: {uses: simulate}}\nresources: {computational: {cpu: 5}}',
    'TRP_WORKFLOW_UNSUPPORTED 2:13 resources.computational',
  ],
  [
    'an unknown agent',
    'agents: {writer: {uses: simulate}}\ntasks:\n  a: {agent: writr}',
    'TRP_WORKFLOW_UNKNOWN_REF 3:14 tasks.a.agent',
  ],
  ['no agent at all', 'tasks:\n  a: {timeout: 3s}', 'TRP_WORKFLOW_UNKNOWN_REF 2:3 tasks.a'],
  [
    'an unknown need',
    'tasks: {a: {uses: simulate, needs: [b]}}',
    'TRP_WORKFLOW_UNKNOWN_REF 1:37 tasks.a.needs[0]',
  ],
  [
    'an unknown need as a mapping',
    'tasks: {a: {uses: simulate, needs: [{task: b, kind: context}]}}',
    'TRP_WORKFLOW_UNKNOWN_REF 1:44 tasks.a.needs[0].task',
  ],
  [
    'an unknown member',
    'tasks: {a: {uses: simulate}}\ngroups: {g: {tasks: [a, b]}}',
    'TRP_WORKFLOW_UNKNOWN_REF 2:25 groups.g.tasks[1]',
  ],
  [
    'an unknown worker',
    'tasks: {a: {uses: simulate}}\ntiers: [{mode: sequential, workers: [a, b]}]',
    'TRP_WORKFLOW_UNKNOWN_REF 2:41 tiers[0].workers[1]',
  ],
  [
    'an unknown aggregator',
    'tasks: {a: {uses: simulate}}\ntiers: [{mode: parallel, workers: [a], aggregate: b}]',
    'TRP_WORKFLOW_UNKNOWN_REF 2:51 tiers[0].aggregate',
  ],
  [
    'a required stranger',
    'tasks: {a: {uses: simulate}}\ngroups: {g: {tasks: [a], barrier: {required: [b]}}}',
    'TRP_WORKFLOW_UNKNOWN_REF 2:47 groups.g.barrier.required[0]',
  ],
  [
    'an unknown validating agent',
    'tasks: {a: {uses: simulate}}\ngroups: {g: {tasks: [a], cross_validation: {agents: [b]}}}',
    'TRP_WORKFLOW_UNKNOWN_REF 2:54 groups.g.cross_validation.agents[0]',
  ],
  [
    'an unknown aspect agent',
    'tasks: {a: {uses: simulate, aspects: {x: {agent: b}}}}',
    'TRP_WORKFLOW_UNKNOWN_REF 1:50 tasks.a.aspects.x.agent',
  ],
  [
    'an unknown task in an expression',
    'tasks: {a: {uses: simulate}}\noutputs: {x: "${tasks.b.output}"}',
    'TRP_WORKFLOW_UNKNOWN_REF 2:14 outputs.x',
  ],
  [
    'an unknown root in an expression',
    'tasks: {a: {uses: simulate, with: "${inputs.x}"}}',
    'TRP_WORKFLOW_UNKNOWN_REF 1:35 tasks.a.with',
  ],
  [
    'an item outside a fan-out',
    'tasks: {a: {uses: simulate, with: "${item}"}}',
    'TRP_WORKFLOW_UNKNOWN_REF 1:35 tasks.a.with',
  ],
  [
    'a cycle',
    'defaults: {agent: w}\nagents: {w: {uses: simulate}}\ntasks:\n  a: {needs: [b]}\n  b: {needs: [a]}',
    'TRP_WORKFLOW_CYCLE 4:7 tasks.a.needs',
  ],
  [
    'a task that needs itself',
    'tasks: {a: {uses: simulate, needs: [a]}}',
    'TRP_WORKFLOW_CYCLE 1:29 tasks.a.needs',
  ],
  [
    'a member that needs its group',
    'tasks: {a: {uses: simulate, needs: [g]}}\ngroups: {g: {tasks: [a]}}',
    'TRP_WORKFLOW_CYCLE 1:29 tasks.a.needs',
  ],
  [
    'two writers of a rejecting key',
    'tasks: {a: {uses: simulate, writes: [x.k]}, b: {uses: simulate, writes: [x.k]}}\nmemory: {keys: {x.k: {merge: reject}}}',
    'TRP_WORKFLOW_CONFLICT 1:74 tasks.b.writes[0]',
  ],
  [
    'a write to what another owns',
    'tasks: {a: {uses: simulate, owns: [a.*]}, b: {uses: simulate, writes: [a.k]}}',
    'TRP_WORKFLOW_CONFLICT 1:72 tasks.b.writes[0]',
  ],
  [
    'more successes than members',
    'tasks: {a: {uses: simulate}}\ngroups: {g: {tasks: [a], barrier: {min_success: 2}}}',
    'TRP_WORKFLOW_UNSATISFIABLE 2:49 groups.g.barrier.min_success',
  ],
  [
    'more arrivals than members',
    'tasks: {a: {uses: simulate}}\ngroups: {g: {tasks: [a], barrier: {expected: 2}}}',
    'TRP_WORKFLOW_UNSATISFIABLE 2:46 groups.g.barrier.expected',
  ],
  [
    'more units than there are',
    'tasks: {a: {uses: simulate, resources: {cpu: 130}}}\nresources: {cpu_oversubscription: 1.2}',
    'TRP_WORKFLOW_UNSATISFIABLE 1:46 tasks.a.resources.cpu',
  ],
  [
    'more units of an unlisted kind than one',
    'tasks: {a: {uses: simulate, needs: [{resource: gpu, units: 2}]}}',
    'TRP_WORKFLOW_UNSATISFIABLE 1:36 tasks.a.needs',
  ],
];

describe('validateDocument', () => {
  it.each(cases)('points at %s', async (_title, text, expected) => {
    expect(await faultsOf(text)).toEqual([expected]);
  });

  it('tells all faults at once, in order of place', async () => {
    const found = await faultsOf(`
tasks:
  a: { agent: x, need: [b], timeout: soon, cache: 2 }
  b:
    agent: y
    needs: [c, { task: a, kind: maybe }]
agents:
  y: { uses: simulat }
  z: { uses: model, prompt: p.md }
tiers:
  - { workers: [a, q] }
`);
    expect(found).toEqual([
      'TRP_WORKFLOW_UNKNOWN_REF 3:15 tasks.a.agent',
      'TRP_WORKFLOW_UNKNOWN_KEY 3:18 tasks.a.need',
      'TRP_WORKFLOW_INVALID 3:38 tasks.a.timeout',
      'TRP_WORKFLOW_UNSUPPORTED 3:44 tasks.a.cache',
      'TRP_WORKFLOW_UNKNOWN_REF 6:13 tasks.b.needs[0]',
      'TRP_WORKFLOW_INVALID 6:33 tasks.b.needs[1].kind',
      'TRP_WORKFLOW_INVALID 8:14 agents.y.uses',
      'TRP_WORKFLOW_UNSUPPORTED 9:14 agents.z.uses',
      'TRP_WORKFLOW_UNSUPPORTED 9:21 agents.z.prompt',
      'TRP_WORKFLOW_INVALID 11:5 tiers[0].mode',
    ]);
  });

  it('suggests the nearest name', async () => {
    const { faults } = await validated(
      'agents: {writer: {uses: simulate}}\ntasks:\n  draft: {agent: wirter, tiemout: 1s}\n  edit: {agent: writer, needs: [drfat]}',
    );
    expect(faults.map(({ hint }) => hint)).toEqual([
      'Did you mean "writer"?',
      'Did you mean "timeout"?',
      'Did you mean "draft"?',
    ]);
  });

  it('says how to write a group where a task was expected', async () => {
    const { faults } = await validated(
      'tasks: {a: {uses: simulate}, b: {uses: simulate, needs: [{task: g}]}}\ngroups: {g: {tasks: [a]}}',
    );
    expect(faults[0]?.hint).toBe('"g" is a group: write {group: g}.');
  });

  it('shows a cycle as a path', async () => {
    const { faults } = await validated(
      'defaults: {agent: w}\nagents: {w: {uses: simulate}}\ntasks: {a: {needs: [b]}, b: {needs: [c]}, c: {needs: [a]}}',
    );
    expect(faults[0]?.message).toContain('a -> b -> c -> a');
  });

  it.each([
    ['c1: {needs: [c0]}', '', 'c1 -> c1'],
    ['c1: {needs: [x]}', 'x: {needs: [c0]}', 'c1 -> x -> c1'],
  ])('knows that the checks of a task end together: %s', async (second, other, cycle) => {
    const { faults } = await validated(
      `defaults: {agent: w}
agents: {w: {uses: simulate}}
tasks:
  draft: {needs: [{task: c0, kind: validation}, {task: c1, kind: validation}]}
  c0: {needs: [draft]}
  ${second}
  ${other}`,
    );
    expect(faults).toMatchObject([
      { code: 'TRP_WORKFLOW_CYCLE', message: expect.stringContaining(cycle) as string },
    ]);
    expect(faults[0]?.message).toContain(
      'needs "c0", and "c1" checks "draft" as well: its checks end together',
    );
  });

  it('lets a task need one of several checks', async () => {
    const found = await faultsOf(
      `tasks:
  draft: {uses: simulate, needs: [{task: c0, kind: validation}, {task: c1, kind: validation}]}
  c0: {uses: simulate}
  c1: {uses: simulate}
  x: {uses: simulate, needs: [c0]}`,
    );
    expect(found).toEqual([]);
  });

  it.each([
    ['tasks.a.result', 'a task has output, outcome and attempts', 'Write ${tasks.a.output}.'],
    ['tasks.a.outputs', 'a task has output, outcome and attempts', 'Did you mean "output"?'],
    ['tasks.a.outptu.x', 'a task has output, outcome and attempts', 'Did you mean "output"?'],
    ['groups.g.attempts', 'a group has output, census and outcome', 'Write ${groups.g.output}.'],
    ['groups.g.outcomes', 'a group has output, census and outcome', 'Did you mean "outcome"?'],
  ])('knows what can be asked of a task and a group: %s', async (expression, has, hint) => {
    const { faults } = await validated(
      `tasks: {a: {uses: simulate}, b: {uses: simulate, needs: [g], with: "\${${expression}}"}}\ngroups: {g: {tasks: [a]}}`,
    );
    expect(faults).toMatchObject([
      {
        code: 'TRP_WORKFLOW_UNKNOWN_REF',
        path: 'tasks.b.with',
        message: `\${${expression}} is nothing: ${has}`,
        hint,
      },
    ]);
  });

  it('warns of two writers whose key has a merger, and of a limit that nobody uses', async () => {
    const { workflow, warnings } = await validated(
      'tasks: {a: {uses: simulate, writes: [x.k]}, b: {uses: simulate, writes: ["x.*"]}}\nresources: {concurency: 3}',
    );
    expect(workflow).toBeDefined();
    expect(warnings.map(({ code, path, hint }) => [code, path, hint])).toEqual([
      [
        'TRP_WORKFLOW_CONFLICT',
        'tasks.b.writes[0]',
        'Concurrent writes are combined by first_writer_wins.',
      ],
      ['TRP_WORKFLOW_UNKNOWN_KEY', 'resources.concurency', 'Did you mean "concurrency"?'],
    ]);
  });

  it('names no single merger where keys below a wildcard have several', async () => {
    const tasks =
      'tasks: {a: {uses: simulate, writes: ["m.>"]}, b: {uses: simulate, writes: ["m.>"]}}\n';
    const hintOf = async (keys: string): Promise<string | null | undefined> =>
      (await validated(`${tasks}memory: {keys: {${keys}}}`)).warnings[0]?.hint;
    expect(await hintOf('m.a: {merge: manual}, m.b: {merge: sum}')).toBe(
      'Concurrent writes are combined by the rules of those keys.',
    );
    expect(await hintOf('m.a: {merge: manual}, "m.>": {merge: manual}')).toBe(
      'Concurrent writes are combined by manual.',
    );
  });

  it('accepts writers of one key that wait for each other', async () => {
    const { faults, warnings } = await validated(
      'tasks: {a: {uses: simulate, writes: [x.k]}, m: {uses: simulate, needs: [a]}, b: {uses: simulate, needs: [m], writes: [x.k]}}\nmemory: {keys: {x.k: {merge: reject}}}',
    );
    expect([...faults, ...warnings]).toEqual([]);
  });

  it('knows no position in a document that came as an object, but its path', async () => {
    const { faults } = await validateDocument({
      object: { tasks: { a: { uses: 'simulate', timeout: -1 } } },
    });
    expect(faults).toMatchObject([
      { code: 'TRP_WORKFLOW_INVALID', line: 0, column: 0, path: 'tasks.a.timeout', file: '' },
    ]);
  });

  it('refuses an object that is not plain data', async () => {
    const { faults } = await validateDocument({
      object: { tasks: { a: { uses: 'simulate', with: { at: new Date(0) } } } },
    });
    expect(faults).toMatchObject([{ code: 'TRP_PLAIN_DATA', path: 'tasks.a.with.at' }]);
  });

  it.each(['.', 'file:%zz', 'file://far/away.yaml'])(
    'tells that %s cannot be read',
    async (path) => {
      const { faults } = await validateDocument({ path });
      expect(faults).toMatchObject([{ code: 'TRP_WORKFLOW_UNREADABLE', file: path }]);
    },
  );

  it('points at a key in the spelling that the text has', async () => {
    const found = await faultsOf(
      'tasks:\n  a: {uses: simulate}\n  b:\n    uses: simulate\n    depends_on: [a, z]\n    estimated_duration: soon',
    );
    expect(found).toEqual([
      'TRP_WORKFLOW_UNKNOWN_REF 5:21 tasks.b.needs[1]',
      'TRP_WORKFLOW_INVALID 6:25 tasks.b.estimate',
    ]);
  });

  it('tells that a file is missing', async () => {
    const { faults, workflow } = await validateDocument({ path: 'no/such/flow.yaml' });
    expect(workflow).toBeUndefined();
    expect(faults).toMatchObject([{ code: 'TRP_WORKFLOW_UNREADABLE', file: 'no/such/flow.yaml' }]);
  });
});

describe('parseWorkflow', () => {
  it('rejects with the first fault, its place, and all faults in the message', async () => {
    const text = 'tasks:\n  a: {uses: simulate, needs: [b], tiemout: 3s}';
    const error: unknown = await parseWorkflow(text, { file: 'flow.yaml' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(TroupeError);
    expect(error).toMatchObject({ code: 'TRP_WORKFLOW_UNKNOWN_REF', place: 'flow.yaml:2:31' });
    expect((error as TroupeError).message).toContain('flow.yaml:2:35: unknown key "tiemout"');
  });
});
