import { describe, expect, it } from 'vitest';

import { removesRuns } from '../../src/cli/commands/prune.ts';
import { run } from '../../src/cli/commands/run.ts';
import { troupeOptions } from '../../src/cli/options.ts';
import type { Shell } from '../../src/cli/shell.ts';
import { configOf } from '../../src/runtime/options.ts';

const shell = { cwd: '/', env: {} } as unknown as Shell;
const optionsOf = (resource: readonly string[]): object =>
  troupeOptions(shell, { level: 'memory', resource });

describe('--resource', () => {
  it('names units of kinds that all runs share; the last one of a kind counts', () => {
    expect(optionsOf(['gpu=2', 'a=b=1.5', 'gpu=3'])).toMatchObject({
      resources: { gpu: 3, 'a=b': 1.5 },
    });
  });

  it.each(['gpu', 'gpu=', '=2', 'gpu=-1', 'gpu=many'])('refuses %s', (text) => {
    expect(() => optionsOf([text])).toThrow(/such as gpu=2/);
  });
});

describe('--concurrency auto', () => {
  it('lets runs choose, within what the process takes at all', () => {
    const config = configOf({ concurrency: 'auto' });
    expect(config).toMatchObject({ autoConcurrency: true });
    expect(config.concurrency).toBeGreaterThanOrEqual(32);
    expect(configOf({ concurrency: 4 })).toMatchObject({ concurrency: 4, autoConcurrency: false });
  });
});

describe('an option of something that is not asked for', () => {
  it.each([{ wait: true }, { id: 'mine' }])('is refused by run: %o', async (options) => {
    const refused = run(shell, 'workflow.yaml', { level: 'memory', ...options });
    await expect(refused).rejects.toThrow(/belongs to --submit/);
  });

  it.each([{ dryRun: true }, { keep: 1 }, { olderThan: 5 }])(
    'is refused by runs: %o',
    (options) => {
      expect(() => removesRuns(options)).toThrow(/belong to --prune/);
      expect(removesRuns({ ...options, prune: true })).toBe(true);
    },
  );
});
