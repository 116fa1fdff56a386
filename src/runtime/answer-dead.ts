import { RunMemory } from '../memory/run-memory.ts';
import type { AssemblyOptions } from '../supervisors/run/assemble.ts';
import type { RunWindow } from './run-window.ts';

/** Applies what a person decides to a run that nobody carries, and shows it on the bus; see `answer-left.ts`. */
export async function answerDead(
  parts: Omit<AssemblyOptions, 'onRecord' | 'onCore'>,
  apply: (parts: AssemblyOptions) => Promise<void>,
  windowOf: (memory: () => RunMemory) => RunWindow,
): Promise<void> {
  let memory = new RunMemory();
  const window = windowOf(() => memory);
  await apply({
    ...parts,
    onRecord: (record) => window.recorded(record),
    onCore: ({ ledger }) => {
      ({ memory } = ledger);
    },
  });
}
