import { liveSeed } from './world-of-seed.ts';
import { neededFaults } from './seed-line.ts';
import { OutsideWork, slowDown } from './slow-machine.ts';
import type { FaultClass } from '../../src/simulation/fault-plan.ts';

/**
 * Carries seeds out in a process of its own and prints a line of JSON for each: its hash, or its violations.
 * Arguments: first seed, last seed; `hash`: prints hashes, `find`: ends with the first violation, `trace`:
 * prints the trace, `slow`: prints hashes on a process that is slow at random, and what it began outside of the
 * program; the classes of faults that are allowed, by commas.
 */
const [first = '0', last = first, mode = 'find', classes] = process.argv.slice(2);
const isHashing = mode === 'hash' || mode === 'slow';
const allowed = classes?.split(',').filter((name) => name !== 'none') as FaultClass[] | undefined;

if (mode === 'slow') slowDown();
const outside = new OutsideWork();
// What is loaded once is loaded before anything is noted.
if (mode === 'slow') await liveSeed(0);

let worlds = 0;
for (let seed = Number(first); seed <= Number(last); seed++) {
  const live = (): ReturnType<typeof liveSeed> => liveSeed(seed, allowed);
  const result = await (mode === 'slow' ? outside.during(live) : live());
  if (!result) continue;
  worlds++;
  const { hash, violations, trace, faults } = result;
  if (isHashing) print({ seed, hash, broken: violations.length });
  if (mode === 'trace') process.stdout.write(`${trace.join('\n')}\n`);
  if (violations.length === 0) {
    if (mode === 'trace') print({ seed, hash, faults });
    continue;
  }
  const needed = mode === 'trace' ? await neededFaults(result) : faults;
  if (!isHashing) print({ seed, faults: needed, violations });
  if (mode === 'find') break;
}
if (mode === 'find') print({ worlds });
if (mode === 'slow') print({ outside: outside.begun });

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
