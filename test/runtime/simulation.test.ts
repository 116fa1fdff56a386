import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { createTroupe } from '../../src/runtime/troupe.ts';
import type { RunReport } from '../../src/runtime/report.ts';

async function simulate(
  file: string,
  options: { seed?: number; dataDir?: string } = {},
): Promise<RunReport> {
  const troupe = await createTroupe(
    options.dataDir === undefined ? {} : { dataDir: options.dataDir },
  );
  const handle = await troupe.run(
    file,
    {},
    { simulate: true, ...(options.seed === undefined ? {} : { seed: options.seed }) },
  );
  const report = await handle.outcome();
  await troupe.close();
  return report;
}

describe('a simulated run', () => {
  it('takes the diamond along its critical path, exactly', async () => {
    const report = await simulate('config/workflows/diamond.yaml');
    expect(report).toMatchObject({
      status: 'succeeded',
      simulated: true,
      metrics: { wall_ms: 110, critical_path_ms: 110 },
    });
  });

  it.each(['six-tiers', 'product-design', 'hello', 'repo-review'])(
    'gives %s the same bytes for the same seed',
    async (name) => {
      const file = `config/workflows/${name}.yaml`;
      const [one, other] = [await simulate(file, { seed: 7 }), await simulate(file, { seed: 7 })];
      expect(JSON.stringify(other)).toBe(JSON.stringify(one));
    },
  );

  it('differs by its seed where chance has a say', async () => {
    const ids = await Promise.all(
      [1, 2].map((seed) => simulate('config/workflows/six-tiers.yaml', { seed })),
    );
    expect(ids[0]?.run_id).not.toBe(ids[1]?.run_id);
  });

  it('runs the six tiers in order, the parallel ones together', async () => {
    const report = await simulate('config/workflows/six-tiers.yaml');
    expect(report.status).toBe('succeeded');
    const task = (id: string) => report.tasks.find((entry) => entry.id === id);
    expect(task('W05')?.started_ms).toBe(task('W04')?.finished_ms);
    expect(
      new Set(['W09', 'W10', 'W11', 'W12', 'W13'].map((id) => task(id)?.started_ms)).size,
    ).toBe(1);
    const lastOfThree = Math.max(
      ...['W09', 'W10', 'W11', 'W12', 'W13'].map((id) => task(id)?.finished_ms ?? 0),
    );
    expect(task('W14')?.started_ms).toBe(lastOfThree);
  });

  it('writes nothing, not even into a data folder', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'troupe-simulated-'));
    await simulate('config/workflows/hello.yaml', { dataDir });
    expect(readdirSync(dataDir)).toEqual([]);
    rmSync(dataDir, { recursive: true });
  });
});
