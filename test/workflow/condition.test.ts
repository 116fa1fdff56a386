import { describe, expect, it } from 'vitest';
import { validateDocument } from '../../src/workflow/validate.ts';
import { faultText } from '../../src/workflow/fault-text.ts';

async function toldOf(when: unknown): Promise<readonly string[]> {
  const { faults } = await validateDocument({
    object: { tasks: { a: { uses: 'simulate', when } } },
  });
  return faults.map(faultText);
}

describe('a condition', () => {
  it.each([
    '${input.go} = yes',
    '${input.go} && true',
    'not ${input.go}',
    '${input.go} == yes && ${input.ready} == yes',
    '${input.go} == yes && true',
    '${input.go} == a || b',
    '${input.go} == ${input.ready}',
    '${input.go} === yes',
    '${input.go} ==',
    '${input.go} == "yes',
    '${input.go}${input.ready}',
    '$${input.go}',
    '! !${input.go}',
    'yes',
    '',
  ])('that cannot be read is a fault: %j', async (when) => {
    expect(await toldOf(when)).toEqual([
      `workflow at tasks.a.when: when: cannot read ${JSON.stringify(when)} (Write \${...}, !\${...} or \${...} == value.)`,
    ]);
  });

  it.each([null, 1, [[1]], { a: true }])('of another kind is a fault: %j', async (when) => {
    expect(await toldOf(when)).toEqual([
      expect.stringContaining(`when: cannot read ${JSON.stringify(when)} `),
    ]);
  });

  it('whose expression cannot be read has one fault', async () => {
    expect(await toldOf('not ${a b}')).toEqual([expect.stringContaining('the expression ${a b}')]);
  });

  it.each([
    '${input.go}',
    '!${input.go}',
    '!! ${input.go}',
    ' ${input.go} ',
    '${input.go} == yes',
    '${input.go}!=no',
    '${input.go} >= 3',
    '${input.go} == in two words',
    '${input.go} == "a && b"',
    "${input.go} == 'x'",
    'true',
    'false',
    true,
    false,
  ])('that can be read is none: %j', async (when) => {
    expect(await toldOf(when)).toEqual([]);
  });
});
