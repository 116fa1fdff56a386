import { describe, expect, it } from 'vitest';
import { faultText } from '../../src/workflow/fault-text.ts';
import { validated } from './checked.ts';

async function toldOf(text: string): Promise<readonly string[]> {
  return (await validated(text)).faults.map(faultText);
}

describe('a text that is no YAML', () => {
  it('has one fault where an expression lacks its quotes', async () => {
    const text =
      'tasks:\n  a:\n    uses: simulate\n    with: { files: ${shard.items} }\n  b: { uses: simulate }\n';
    expect(await toldOf(text)).toEqual([
      "flow.yaml:4:20: quote the expression: files: '${shard.items}' (Without quotes, { begins a mapping here.)",
    ]);
  });

  it.each([
    ['with: { a: hi ${x.y} and ${z}, b: 1 }', ["a: 'hi ${x.y} and ${z}'"]],
    ['with: [1, ${a.b}]', ["'${a.b}'"]],
    ['with: {a: ${x}, "b": ${y}}', ["a: '${x}'", "'${y}'"]],
    ["with: {a: it's ${x}}", ["a: 'it''s ${x}'"]],
    ['with: {\n  a: ${x}\n}', ["a: '${x}'"]],
    ['with: {a: ${x', ["a: '${'"]],
  ])('shows how to write %j', async (text, fixed) => {
    const { faults } = await validated(text);
    expect(faults.map(({ message }) => message)).toEqual(
      fixed.map((entry) => `quote the expression: ${entry}`),
    );
  });

  it('says so when a condition lacks its quotes', async () => {
    const { faults } = await validated('tasks: {a: {uses: simulate, when: !${input.x}}}');
    expect(faults).toMatchObject([
      { code: 'TRP_WORKFLOW_HOSTILE', column: 35, hint: "Quote the condition: when: '!${...}'." },
    ]);
  });

  it('has a hint for tabs', async () => {
    expect(await toldOf('tasks:\n\ta:\n\t\tuses: simulate\n\tb:\n\t\tuses: simulate\n')).toEqual([
      'flow.yaml:2:1: Tabs are not allowed as indentation (use spaces, not tabs)',
    ]);
  });

  it.each([
    ['a:\n   b: 1\n  c: 2\n d: 3\n', 3],
    ['- a\nb: 1\nc: 2', 2],
    ["a: 'it's'\nb: @x", 1],
    ['a: b: c: d\ne: @x', 1],
    ['a: @x\nb: {c: ${x}}', 1],
  ])('has its first fault told before an unquoted expression: %j', async (text, line) => {
    const { faults } = await validated(text);
    expect(faults[0]).toMatchObject({ code: 'TRP_WORKFLOW_SYNTAX', line });
    expect(faults.filter(({ message }) => !message.startsWith('quote the'))).toHaveLength(1);
  });
});

describe('an empty text', () => {
  it.each(['', '\n\n', '# only a comment\n', '---\n', 'null', '~'])(
    'is told of as such: %j',
    async (text) => {
      const { faults } = await validated(text);
      expect(faults).toMatchObject([
        {
          code: 'TRP_WORKFLOW_INVALID',
          line: 1,
          message: 'the document is empty',
          hint: 'troupe init writes one to start from',
        },
      ]);
    },
  );
});
