import { RunMemory } from '../memory/run-memory.ts';
import { answerLeft } from '../supervisors/run/answer-left.ts';
import type { AssemblyOptions } from '../supervisors/run/assemble.ts';
import type { Resolution } from '../supervisors/run/resolution.ts';
import type { RunWindow } from './run-window.ts';

/** Applies an answer to a run that nobody carries, and shows it on the bus; see {@link answerLeft}. */
export async function answerDead(
  parts: Omit<AssemblyOptions, 'onRecord' | 'onCore'>,
  resolution: Resolution,
  windowOf: (memory: () => RunMemory) => RunWindow,
): Promise<void> {
  let memory = new RunMemory();
  const window = windowOf(() => memory);
  await answerLeft(
    {
      ...parts,
      onRecord: (record) => window.recorded(record),
      onCore: ({ ledger }) => {
        ({ memory } = ledger);
      },
    },
    resolution,
  );
}
