import type { FaultClass } from '../../src/simulation/fault-plan.ts';
import { liveSeed } from './world-of-seed.ts';
import type { SeedResult } from './world-of-seed.ts';

/** What a failing seed says: what broke, which classes of faults are needed for it, and how to see it again. */
export async function failureOf(result: SeedResult): Promise<string> {
  const needed = await neededFaults(result);
  const broken = result.violations.map(
    ({ invariant, law, detail }) => `  ${invariant} “${law}”: ${detail}`,
  );
  return [
    `seed ${result.seed} breaks, with ${needed.join(', ') || 'no fault at all'}:`,
    ...broken.slice(0, 6),
    `  TROUPE_SIM_SEED=${result.seed} npx vitest run test/simulation`,
    `  node test/simulation/replay.mjs --seed ${result.seed} --faults ${needed.join(',') || 'none'}`,
  ].join('\n');
}

/** Leaves out one class after the other, for as long as one of the broken laws stays broken. */
export async function neededFaults({
  seed,
  faults,
  violations,
}: SeedResult): Promise<readonly FaultClass[]> {
  const laws = new Set(violations.map(({ law }) => law));
  let needed = faults;
  for (const fault of faults) {
    const fewer = needed.filter((one) => one !== fault);
    const again = await liveSeed(seed, fewer);
    if (again?.violations.some(({ law }) => laws.has(law))) needed = fewer;
  }
  return needed;
}
