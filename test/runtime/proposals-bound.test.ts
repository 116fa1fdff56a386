import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { RunHandle, Troupe } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { maxOverflowLetters } from '../../src/supervisors/run/letters.ts';

/** One that comes too many at a time is enough; the journal answers none of them in the turn in which it comes. */
const most = 2;

const document = {
  version: 1,
  name: 'proposed-to',
  agents: { w: { uses: 'function', module: 'host:held', owns: ['w.>'] } },
  tasks: { t: { agent: 'w' } },
};

let folder: string;
let troupe: Troupe;
let release: () => void;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-proposals-'));
  const held = new Promise<null>((resolve) => (release = () => resolve(null)));
  troupe = await createTroupe({
    dataDir: folder,
    bounds: { proposals: most },
    functions: { held: () => held },
  });
});
afterEach(async () => {
  release();
  await troupe.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Proposed {
  propose(proposal: object): Promise<{ refused?: { code: string } }>;
}

/** Proposes so many changes in one turn; the codes of the refusals. */
async function flood(run: RunHandle, count: number): Promise<string[]> {
  const desk = run as unknown as Proposed;
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      desk.propose({
        task: 't',
        agent: 'w',
        op: `op-${n}`,
        base: 0,
        priority: 5,
        changes: [{ key: 'w.k', value: n }],
      }),
    ),
  );
  return answers.flatMap(({ refused }) => (refused ? [refused.code] : []));
}

describe('changes to the memory of a run that come faster than they can be decided', () => {
  it('are refused beyond the bound, and each is a dead letter with its content', async () => {
    const run = await troupe.run(document);
    expect(await flood(run, 5)).toEqual(Array.from({ length: 5 - most }, () => 'TRP_BUS_FULL'));
    const letters = await troupe.deadLetters(run.id);
    expect(letters.map(({ kind, letter }) => [kind, letter])).toEqual(
      [2, 3, 4].map((n) => [
        'overflow',
        { agent: 'w', op: `op-${n}`, changes: [{ key: 'w.k', value: n }] },
      ]),
    );
    expect(letters.at(-1)?.reason).toMatch(/number 3 /);
    // There is room again.
    expect(await flood(run, 1)).toEqual([]);
  });

  it('fill no more than a bounded part of the journal with letters', async () => {
    const run = await troupe.run(document);
    const refused = await flood(run, maxOverflowLetters + 100);
    expect(refused).toHaveLength(maxOverflowLetters + 100 - most);
    expect(await troupe.deadLetters(run.id)).toHaveLength(maxOverflowLetters);
  });
});
