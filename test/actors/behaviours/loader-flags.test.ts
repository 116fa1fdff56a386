import { expect, it } from 'vitest';
import { loaderFlags } from '../../../src/actors/behaviours/isolation/loader-flags.ts';

it('passes on what decides how modules load', () => {
  const flags = ['--import', 'tsx', '--conditions=dev', '-r', './hook.js', '--enable-source-maps'];
  expect(loaderFlags(flags)).toEqual(flags);
});

it('keeps code, debuggers and heap sizes to this process', () => {
  const flags = [
    '--input-type=module',
    '-e',
    'run()',
    '--inspect-brk=9',
    '--max-old-space-size=9',
    '--import=tsx',
    '--test',
  ];
  expect(loaderFlags(flags)).toEqual(['--import=tsx']);
});
