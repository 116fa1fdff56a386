import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/core/errors.ts';
import { validateDocument } from '../../src/workflow/validate.ts';

const rich = {
  version: 1,
  name: 'x',
  inputs: { p: { required: true }, q: 3 },
  defaults: { agent: 'w', retry: { max_attempts: 2 }, timeout: '5m' },
  agents: {
    w: { uses: 'simulate', owns: ['w.*'] },
    v: { module: './m.mjs#x', limits: { max_output: '1MB' } },
  },
  tasks: {
    a: { with: '${input.p}', writes: ['k'], resources: { cpu: 'low' } },
    b: {
      needs: ['a', { resource: 'gpu' }, { task: 'r', kind: 'validation' }],
      agent: 'v',
      exclusive: ['l'],
    },
    c: {
      needs: [{ task: 'a', kind: 'context' }],
      shards: { of: [1, 2], size: 1 },
      barrier: { min_success: '50%' },
    },
    r: { agent: 'v', when: '${tasks.b.outcome} == succeeded' },
    d: { needs: ['g'], for_each: '${groups.g.output}', aggregate: { frequency: 0.4 } },
    e: { aspects: { s: { agent: 'v' }, t: null } },
    f: {},
  },
  groups: {
    g: {
      tasks: ['b', 'c'],
      barrier: { type: 'smart', required: ['b'], extension: { by: '1m' } },
      cross_validation: { agents: ['w'] },
    },
  },
  tiers: [
    { mode: 'sequential', workers: ['e'] },
    { mode: 'parallel', workers: ['f'], aggregate: 'list', synchronization: 'async_merge' },
  ],
  resources: { cpu: 50, gpu: { units: 2 }, concurrency: 2 },
  memory: { keys: { 'w.*': { merge: 'union' } } },
  outputs: { all: ['${tasks.d.output}'] },
  deadline: '1h',
};

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Object.entries(value).map(([key, item]) =>
    pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...entries.flat()];
}

/** The document with something else at a path, or under another name. */
function mutated(
  value: unknown,
  path: Path,
  change: { readonly value: unknown; readonly rename: string | undefined },
): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change.value;
  const copy = structuredClone(value) as { [key: string]: unknown };
  const name =
    rest.length === 0 && change.rename !== undefined && !Array.isArray(copy) ? change.rename : key;
  const held = copy[key];
  if (name !== key) delete copy[key];
  copy[name] = name === key ? mutated(held, rest, change) : held;
  return copy;
}

const word = fc.constantFrom(
  'a',
  'b',
  'g',
  'w',
  'z',
  'smart',
  '5m',
  '50%',
  '${tasks.a.output}',
  '${item}',
  'model',
  'uses',
  'hedge',
  'tier-2',
  '',
  'constructor',
  'weight',
);
const replacement = fc.oneof(
  word,
  fc.integer({ min: -2, max: 200 }),
  fc.constantFrom(null, true, [], {}),
  fc.array(word, { maxLength: 3 }),
  fc.dictionary(word, word, { maxKeys: 3 }),
  fc.jsonValue(),
);
const change = fc.record({
  at: fc.nat(),
  value: replacement,
  rename: fc.option(word, { nil: undefined, freq: 3 }),
});

describe('validateDocument on any document', () => {
  it('has no fault in the document that the others grow from', async () => {
    expect((await validateDocument({ object: rich })).faults).toEqual([]);
  });

  it('ends in a workflow or in faults of known codes, never in an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const document = changes.reduce<unknown>((current, { at, ...rest }) => {
          const paths = pathsOf(current);
          return mutated(current, paths[at % paths.length] ?? [], rest);
        }, rich);
        const { workflow, faults, warnings } = await validateDocument({ object: document });
        expect(workflow === undefined).toBe(faults.length > 0);
        for (const { code, message } of [...faults, ...warnings]) {
          expect(errorCodes).toHaveProperty(code);
          expect(message).not.toMatch(/undefined|\[object|Invalid|Too (small|big)/);
        }
        const text = await validateDocument({ text: JSON.stringify(document) });
        expect(text.workflow?.hash).toBe(workflow?.hash);
      }),
      { numRuns: 400 },
    );
  });

  it('survives any text', async () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '\n',
        ': ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '|\n',
        '  ',
        'tasks',
        '#',
        '&a',
        '*a',
        '!t',
        '---\n',
        '\t',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const { workflow, faults } = await validateDocument({ text: pieces.join('') });
        expect(workflow === undefined).toBe(faults.length > 0);
      }),
      { numRuns: 300 },
    );
  });
});
