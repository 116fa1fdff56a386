import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/runtime/report.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import type { GitRepository } from '../support/git-repository.ts';
import { runReview } from '../support/review-run.ts';
import { planted, plantedRepository } from './planted.ts';

const file = join(import.meta.dirname, '../../config/workflows/repo-review.yaml');

let repository: GitRepository;
let report: RunReport;

async function carryOut(out: string): Promise<RunReport> {
  const troupe = await createTroupe({
    dataDir: repository.beside('data'),
    level: 'process',
    control: false,
  });
  try {
    const handle = await troupe.run(file, { path: repository.root, out: repository.beside(out) });
    return await handle.outcome();
  } finally {
    await troupe.close();
  }
}

beforeAll(async () => {
  repository = plantedRepository();
  report = await carryOut('out');
}, 60_000);

afterAll(() => repository.remove());

describe('the review, carried out under supervision', () => {
  it('succeeds with every shard and aspect', () => {
    expect(report.tasks.filter(({ outcome }) => outcome !== 'succeeded')).toEqual([]);
    expect(report.status).toBe('succeeded');
  });

  it('writes what its functions write one after another', async () => {
    await runReview(file, { path: repository.root, out: repository.beside('alone') });
    for (const name of ['report.md', 'report.json']) {
      const read = (out: string) => readFileSync(join(repository.beside(out), name), 'utf8');
      expect(read('out')).toBe(read('alone'));
    }
  });

  it.each(Object.entries(planted))(
    'leaves the planted %s in no file of its data folder',
    (_name, secret) => {
      const data = repository.beside('data');
      const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      expect(files.length).toBeGreaterThan(0);
      for (const entry of files)
        expect(readFileSync(join(entry.parentPath, entry.name)).includes(secret)).toBe(false);
    },
  );
});
