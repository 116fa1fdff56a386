import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plain } from '../../src/core/plain.ts';
import { isWorkflow, parseWorkflow, validateDocument } from '../../src/workflow/validate.ts';
import { needsOf, taskOf, workflowOf } from './checked.ts';

const agents = 'agents: {w: {uses: simulate}, v: {uses: simulate}}\ndefaults: {agent: w}\n';

describe('a normalised workflow', () => {
  it('is frozen to its leaves and plain data', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: {with: {x: [1]}}}`);
    expect(Object.isFrozen(workflow)).toBe(true);
    expect(Object.isFrozen(taskOf(workflow, 'a').retry)).toBe(true);
    expect(JSON.parse(JSON.stringify(workflow))).toEqual(workflow);
  });

  it('is recognised, and parsed again is itself', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: }`);
    expect(isWorkflow(workflow)).toBe(true);
    expect(isWorkflow(structuredClone(workflow))).toBe(false);
    expect(await parseWorkflow(workflow)).toBe(workflow);
  });

  it('gives tasks the defaults of the design', async () => {
    const workflow = await workflowOf('tasks: {a: {uses: simulate}}');
    expect(taskOf(workflow, 'a')).toMatchObject({
      agent: 'a',
      index: 0,
      priority: 5,
      prioritySet: false,
      retry: { maxAttempts: 3, backoff: 'exponential', initialMs: 500, maxMs: 60_000, jitter: 0.5 },
      maxRounds: 1,
      generated: false,
    });
    expect(workflow).toMatchObject({
      name: 'workflow',
      resources: { capacity: { cpu: 100, memory: 100 } },
    });
    expect(workflow.agents['a']?.limits).toEqual({
      maxOutputBytes: 8 * 1024 ** 2,
      maxMemoryMb: 256,
      killAfterMs: 2000,
    });
  });

  it('takes what a task does not say from the defaults of the document', async () => {
    const workflow = await workflowOf(`agents: {w: {uses: simulate}}
defaults: {agent: w, timeout: 5m, priority: 3, estimate: 2m, retry: {max_attempts: 7, initial: 1s}}
tasks: {a: , b: {timeout: 1m, priority: 9, retry: {initial: 2s}}, c: {retry: 1}}`);
    expect(taskOf(workflow, 'a')).toMatchObject({
      agent: 'w',
      timeoutMs: 300_000,
      priority: 3,
      prioritySet: true,
      estimate: { midMs: 120_000 },
    });
    expect(taskOf(workflow, 'b')).toMatchObject({
      timeoutMs: 60_000,
      priority: 9,
      retry: { maxAttempts: 7, initialMs: 2000 },
    });
    expect(taskOf(workflow, 'c').retry).toMatchObject({ maxAttempts: 1, initialMs: 1000 });
  });

  it('counts resources, named ones and locks as demand', async () => {
    const workflow = await workflowOf(`${agents}tasks:
  a: {resources: {cpu: very_high, memory: low}, exclusive: [db], needs: [{resource: gpu, units: 2}, {resource: api}]}
resources: {cpu: 80, cpu_oversubscription: 1.5, memory: {units: 50}, gpu: 4, concurrency: 3}`);
    expect(taskOf(workflow, 'a').demand).toEqual({
      cpu: 60,
      memory: 15,
      'lock:db': 1,
      gpu: 2,
      api: 1,
    });
    expect(workflow.resources).toEqual({
      capacity: { cpu: 120, memory: 50, gpu: 4 },
      concurrency: 3,
    });
  });

  it('puts the agent in front of a key without a dot', async () => {
    const workflow = await workflowOf(
      'agents: {w: {uses: simulate, owns: [plan, w.x.*]}}\ntasks: {a: {agent: w, writes: [plan, other.key], reads: [plan]}}',
    );
    expect(workflow.agents['w']?.owns).toEqual(['w.plan', 'w.x.*']);
    expect(taskOf(workflow, 'a')).toMatchObject({
      writes: ['w.plan', 'other.key'],
      reads: ['plan'],
    });
  });

  it('reads agents of every kind, with limits, and splits command lines without a shell', async () => {
    const workflow = await workflowOf(`agents:
  f: {module: "host:greet", limits: {concurrency: 2, max_output: 64KB, max_memory: 1GB, kill_after: 5s}, isolate: thread}
  c: {command: "node 'my script.mjs' --x=1", env: [TOKEN]}
  l: {uses: command, command: [node, "a b"]}
tasks: {f: , c: , l: }`);
    expect(workflow.agents).toMatchObject({
      f: {
        uses: 'function',
        module: 'host:greet',
        isolate: 'thread',
        limits: { concurrency: 2, maxOutputBytes: 65_536, maxMemoryMb: 1024, killAfterMs: 5000 },
      },
      c: { uses: 'command', command: ['node', 'my script.mjs', '--x=1'], env: ['TOKEN'] },
      l: { uses: 'command', command: ['node', 'a b'] },
    });
  });

  it('tells described inputs from default values', async () => {
    const workflow = await workflowOf(`${agents}tasks: {a: }
inputs: {path: {description: Where}, depth: {default: 3}, mode: fast, shape: {w: 1}, list: [1], given: }`);
    expect(workflow.inputs).toEqual({
      path: { required: true, description: 'Where' },
      depth: { required: false, default: 3, description: '' },
      mode: { required: false, default: 'fast', description: '' },
      shape: { required: false, default: { w: 1 }, description: '' },
      list: { required: false, default: [1], description: '' },
      given: { required: true, description: '' },
    });
  });

  it('keeps expansions, their barrier and their aggregation', async () => {
    const workflow = await workflowOf(`${agents}tasks:
  s: {shards: {of: "\${input.rows}", count: 4}, aggregate: concat, barrier: {type: smart, min_success: 75%}}
  p: {aspects: {security: {agent: v, with: {deep: true}}, ux: }, aggregate: {frequency: 0.4}, with: "\${aspect}"}
  q: {aspects: [a, b], aggregate: {function: "./m.mjs#merge"}}
  e: {needs: [s], for_each: "\${tasks.s.output}", with: "\${item} \${index}"}`);
    expect(taskOf(workflow, 's')).toMatchObject({
      expand: { kind: 'shards', of: '${input.rows}', count: 4 },
      aggregate: { kind: 'concat' },
      barrier: { type: 'smart', minSuccess: { share: 0.75 } },
    });
    expect(taskOf(workflow, 'p')).toMatchObject({
      expand: {
        kind: 'aspects',
        aspects: [{ id: 'security', agent: 'v', with: { deep: true } }, { id: 'ux' }],
      },
      aggregate: { kind: 'frequency', threshold: 0.4 },
    });
    expect(taskOf(workflow, 'q').aggregate).toEqual({
      kind: 'function',
      module: '/flows/m.mjs',
      export: 'merge',
    });
    expect(taskOf(workflow, 'e')).toMatchObject({
      expand: { kind: 'for_each', of: '${tasks.s.output}' },
      barrier: { type: 'count_down', minSuccess: { share: 1 } },
    });
  });

  it('turns a validation around without a cycle', async () => {
    const workflow = await workflowOf(`${agents}tasks:
  draft: {needs: [{task: review, kind: validation}], max_rounds: 2}
  review: {with: "\${tasks.draft.output}"}
  publish: {needs: [draft]}`);
    expect(taskOf(workflow, 'review').validates).toBe('draft');
    expect(needsOf(workflow, 'review')).toEqual(['data task draft']);
    expect(needsOf(workflow, 'draft')).toEqual(['validation task review']);
    expect(taskOf(workflow, 'draft').maxRounds).toBe(2);
  });

  it('sees the circle that a validation closes when it waits for a task behind what it checks', async () => {
    const { faults } = await validateDocument({
      text: `${agents}tasks:
  draft: {needs: [{task: review, kind: validation}]}
  review: {needs: [publish]}
  publish: {needs: [draft]}`,
    });
    expect(faults.map(({ code }) => code)).toEqual(['TRP_WORKFLOW_CYCLE']);
  });

  it('puts the memory patterns of the document before its own', async () => {
    const workflow = await workflowOf(
      `${agents}tasks: {a: }\nmemory: {keys: {"a.*": {merge: union}}}`,
    );
    expect(workflow.memory.keys).toEqual([
      { pattern: 'a.*', merge: 'union' },
      { pattern: 'parallel.*', merge: 'priority_merge' },
      { pattern: '>', merge: 'first_writer_wins' },
    ]);
  });
});

const documents = fc
  .record({
    tasks: fc.array(
      fc.record({
        priority: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
        cpu: fc.nat(50),
        needs: fc.array(fc.nat(20), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    grouped: fc.boolean(),
  })
  .map(({ tasks, grouped }) => ({
    agents: { w: { uses: 'simulate' } },
    defaults: { agent: 'w' },
    tasks: Object.fromEntries(
      tasks.map(({ priority, cpu, needs }, index) => [
        `t${index}`,
        {
          ...(priority === undefined ? {} : { priority }),
          resources: { cpu },
          needs: grouped || index === 0 ? [] : [...new Set(needs.map((n) => `t${n % index}`))],
        },
      ]),
    ),
    ...(grouped ? { groups: { g: { tasks: tasks.map((_, index) => `t${index}`) } } } : {}),
  }));

describe('the hash of a workflow', () => {
  it('is the same for text, for JSON and for the object, and whenever it is taken', async () => {
    await fc.assert(
      fc.asyncProperty(documents, async (document) => {
        const object = await parseWorkflow(document as never);
        const text = await parseWorkflow(JSON.stringify(document));
        const again = await parseWorkflow(structuredClone(document) as never);
        expect(text).toEqual(object);
        expect([text.hash, again.hash]).toEqual([object.hash, object.hash]);
      }),
      { numRuns: 50 },
    );
  });

  it('changes with the meaning of the document', async () => {
    const hashes = await Promise.all(
      ['a: ', 'a: {timeout: 1m}', 'a: {timeout: 2m}', 'b: '].map(
        async (task) => (await workflowOf(`${agents}tasks: {${task}}`)).hash,
      ),
    );
    expect(new Set(hashes).size).toBe(4);
  });

  it('does not change with spelling', async () => {
    const spellings = [
      '{needs: [a], estimate: 90s, retry: {max_attempts: 2}}',
      '{depends_on: a, estimated_duration: 1m30s, retry: 2}',
    ];
    const hashes = await Promise.all(
      spellings.map(async (task) => (await workflowOf(`${agents}tasks: {a: , b: ${task}}`)).hash),
    );
    expect(hashes[0]).toBe(hashes[1]);
  });
});

describe('source spellings', () => {
  it.each<readonly [string, string, Plain]>([
    ['barrier', '{type: smart_barrier}', { type: 'smart' }],
    ['barrier', '{type: smart_barrier_with_partial_results}', { type: 'smart' }],
    ['barrier', '{barrier_type: barrier_sync}', { type: 'count_down' }],
    ['barrier', '{expected_workers: 1}', { expected: 1 }],
    ['barrier', '{on_timeout: continue_with_partial}', { onTimeout: ['proceed_with_available'] }],
    [
      'barrier',
      '{partial_failure_handling: continue_with_available_results}',
      { onTimeout: ['proceed_with_available'] },
    ],
    [
      'barrier',
      '{on_timeout: [extend_timeout, abort_and_fallback]}',
      { onTimeout: ['extend', 'abort_and_fallback'] },
    ],
    ['barrier', '{default_timeout: 10_minutes}', { timeoutMs: 600_000 }],
    [
      'barrier',
      '{extension: {extension: 5m, max_extensions: 2}}',
      { extension: { byMs: 300_000, max: 2 } },
    ],
    ['barrier', '{success_criteria: at_least_one_agent_succeeds}', { minSuccess: { count: 1 } }],
    ['synchronization_strategy', '{type: smart}', { type: 'smart' }],
  ])('reads %s: %s', async (key, source, expected) => {
    const workflow = await workflowOf(
      `${agents}tasks: {a: }\ngroups: {g: {tasks: [a], ${key}: ${source}}}`,
    );
    expect(workflow.groups[0]?.barrier).toMatchObject(expected as object);
  });
});
