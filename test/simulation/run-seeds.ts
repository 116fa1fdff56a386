import { liveSeed } from './world-of-seed.ts';
import { neededFaults } from './seed-line.ts';
import type { FaultClass } from '../../src/simulation/fault-plan.ts';

/**
 * Carries seeds out in a process of its own and prints a line of JSON for each: its hash, or its violations.
 * Arguments: first seed, last seed; `hash`: prints hashes, `find`: ends with the first violation, `trace`:
 * prints the trace; the classes of faults that are allowed, by commas.
 */
const [first = '0', last = first, mode = 'find', classes] = process.argv.slice(2);
const allowed = classes?.split(',').filter((name) => name !== 'none') as FaultClass[] | undefined;

let worlds = 0;
for (let seed = Number(first); seed <= Number(last); seed++) {
  const result = await liveSeed(seed, allowed);
  if (!result) continue;
  worlds++;
  const { hash, violations, trace, faults } = result;
  if (mode === 'hash') print({ seed, hash, broken: violations.length });
  if (mode === 'trace') process.stdout.write(`${trace.join('\n')}\n`);
  if (violations.length === 0) {
    if (mode === 'trace') print({ seed, hash, faults });
    continue;
  }
  const needed = mode === 'trace' ? await neededFaults(result) : faults;
  if (mode !== 'hash') print({ seed, faults: needed, violations });
  if (mode === 'find') break;
}
if (mode === 'find') print({ worlds });

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
