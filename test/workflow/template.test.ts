import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TroupeError } from '../../src/core/errors.ts';
import type { Plain, PlainObject } from '../../src/core/plain.ts';
import {
  conditionHolds,
  references,
  resolveTemplate,
  valueAt,
} from '../../src/workflow/template.ts';
import type { TemplateScope } from '../../src/workflow/template.ts';

const values: PlainObject = {
  tasks: {
    'my-task': {
      output: { list: [1, { b: 'deep' }], text: 'hi', none: null, zero: 0, no: false, count: 3 },
      outcome: 'succeeded',
    },
  },
  groups: { g: { census: { failed: 2 }, output: [1, null] } },
  input: { x: 'in' },
  memory: { 'pm.stories.all': ['s'] },
  item: { a: 'A' },
  index: 4,
  shard: { items: [1, 2], index: 0, count: 2 },
  aspect: 'security',
};

const scope: TemplateScope = { lookup: (root, path) => valueAt(values, [root, ...path]) };

describe('resolveTemplate', () => {
  it.each<readonly [Plain, Plain]>([
    ['${tasks.my-task.output.list}', [1, { b: 'deep' }]],
    ['${tasks.my-task.output.list[1].b}', 'deep'],
    ['${tasks.my-task.output.list.length}', 2],
    ['${tasks.my-task.outcome}', 'succeeded'],
    ['${groups.g.census.failed}', 2],
    ['${groups.g.output}', [1, null]],
    ['${ input.x }', 'in'],
    ['${memory.pm.stories.all}', ['s']],
    ['${item.a} ${index} ${aspect}', 'A 4 security'],
    ['${shard.items}', [1, 2]],
    ['list: ${tasks.my-task.output.list}', 'list: [1,{"b":"deep"}]'],
    ['${tasks.my-task.output.none}', null],
    ['$${input.x} costs $5 and ${input.x}', '${input.x} costs $5 and in'],
    ['$$$', '$$$'],
    [
      { a: ['${index}', 1, null], b: { c: 'plain' } },
      { a: [4, 1, null], b: { c: 'plain' } },
    ],
    [7, 7],
  ])('resolves %j', (template, expected) => {
    expect(resolveTemplate(template, scope)).toEqual(expected);
  });

  it('names the expression that found nothing', () => {
    expect(() => resolveTemplate({ a: ['x ${tasks.gone.output}'] }, scope)).toThrow(
      expect.objectContaining({
        code: 'TRP_INPUT_UNRESOLVED',
        place: '${tasks.gone.output}',
      }) as Error,
    );
  });

  it('gives null for it when lenient', () => {
    expect(
      resolveTemplate(['${tasks.gone.output}', '${input.x}'], scope, { lenient: true }),
    ).toEqual([null, 'in']);
  });

  it.each(['${}', '${a b}', '${tasks..x}', '${tasks.a[x]}', '${tasks.a', '${memory.}', '${1a}'])(
    'refuses %s even when lenient',
    (text) => {
      expect(() => resolveTemplate(text, scope, { lenient: true })).toThrow(TroupeError);
    },
  );

  it.each([
    '${input.__proto__}',
    '${input.constructor.name}',
    '${item.toString}',
    '${shard.items.map}',
    '${aspect.length}',
  ])('finds nothing inherited: %s', (text) => {
    expect(() => resolveTemplate(text, scope)).toThrow(TroupeError);
  });

  it('throws nothing but its own error, whatever the template', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '${',
        '}',
        '$${',
        '${input.x}',
        '${tasks.',
        '[0]',
        '.a',
        '${memory.a b}',
        '$',
      ),
    );
    const text = fc.array(piece).map((pieces) => pieces.join(''));
    const template = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.array(tie('node')),
        fc.dictionary(fc.string(), tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(template, fc.boolean(), (value, lenient) => {
        try {
          resolveTemplate(value as Plain, scope, { lenient });
          conditionHolds(value as Plain, scope);
          references(value as Plain);
        } catch (error) {
          expect(error).toBeInstanceOf(TroupeError);
        }
      }),
    );
  });

  it('leaves text without expressions as it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('${')),
        (text) => {
          expect(resolveTemplate(text, scope)).toBe(text);
        },
      ),
    );
  });
});

describe('conditionHolds', () => {
  it.each<readonly [Plain, boolean]>([
    [true, true],
    [false, false],
    ['true', true],
    ['false', false],
    ['${tasks.my-task.output.count}', true],
    ['${tasks.my-task.output.zero}', false],
    ['${tasks.my-task.output.no}', false],
    ['!${tasks.my-task.output.no}', true],
    ['! ${tasks.my-task.output.count}', false],
    ['!!${tasks.my-task.output.count}', true],
    ['${tasks.gone.output}', false],
    ['!${tasks.gone.output}', true],
    ['${tasks.my-task.output.list}', true],
    ['${tasks.my-task.output.count} == 3', true],
    ['${tasks.my-task.output.count}==4', false],
    ['${tasks.my-task.output.count} != 4', true],
    ['${tasks.my-task.output.count} > 2', true],
    ['${tasks.my-task.output.count} >= 3', true],
    ['${tasks.my-task.output.count} < 3', false],
    ['${tasks.my-task.output.count} <= 3', true],
    ['${tasks.my-task.outcome} == succeeded', true],
    ['${tasks.my-task.outcome} == "succeeded"', true],
    ["${tasks.my-task.outcome} != 'failed'", true],
    ['${tasks.my-task.output.none} == null', true],
    ['${tasks.my-task.output.no} == false', true],
    ['${tasks.my-task.outcome} > 3', false],
    ['${input.x} < jn', true],
    ['!${input.x} == in', false],
    ['${input.x} == a == b', false],
  ])('judges %j', (template, expected) => {
    expect(conditionHolds(template, scope)).toBe(expected);
  });
});

describe('references', () => {
  it('finds every expression, in order, and takes the rest of a memory key whole', () => {
    const found = references({ a: '${tasks.x.output[2].b}', b: ['$${no.x} ${memory.pm.a.b}', 3] });
    expect(found).toEqual([
      { root: 'tasks', path: ['x', 'output', '2', 'b'], expression: 'tasks.x.output[2].b' },
      { root: 'memory', path: ['pm.a.b'], expression: 'memory.pm.a.b' },
    ]);
  });
});
