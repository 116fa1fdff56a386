import type { JournalRecord } from '../../src/journal/record.ts';
import { fold } from '../../src/journal/fold.ts';
import { RunMemory } from '../../src/memory/run-memory.ts';
import { drawFaults } from '../../src/simulation/fault-plan.ts';
import type { FaultClass } from '../../src/simulation/fault-plan.ts';
import { violationsOf } from '../../src/simulation/invariants.ts';
import type { Journals, Violation } from '../../src/simulation/invariants.ts';
import { World } from '../../src/simulation/world.ts';
import { scriptedLaws } from '../adversarial/stale-results.ts';
import { crowded, heldTwice, overdrawn } from '../adversarial/together.ts';
import { scenarioOf, Witness } from './scenario.ts';
import type { Scenario } from './scenario.ts';

/** How long runs may take after everything has healed, in milliseconds of virtual time. */
const patienceMs = 8 * 3_600_000;

/** What came of a seed. */
export interface SeedResult {
  readonly seed: number;
  readonly hash: string;
  readonly trace: readonly string[];
  readonly faults: readonly FaultClass[];
  readonly violations: readonly Violation[];
}

/** Lives the world of a seed through. Undefined: its documents contradict themselves. */
export async function liveSeed(
  seed: number,
  allowed?: readonly FaultClass[],
): Promise<SeedResult | undefined> {
  const scenario = await scenarioOf(seed);
  const { runs, processes, concurrency } = scenario;
  if (runs.length === 0) return undefined;
  const plan = drawFaults(seed, { processes, ...(allowed && { allowed }) });
  const witnesses: Witness[] = [];
  const operations = new Map<string, string>();
  const world = new World({
    seed,
    plan,
    processes,
    runs,
    concurrency,
    patienceMs,
    functions: ({ clock }) => {
      const witness = new Witness(operations);
      witnesses.push(witness);
      return witness.functions(clock);
    },
  });
  const end = await world.live();
  await world.stop();
  const journals = await world.journals();
  const laws = plan.classes.has('jump') ? lawsOfSteadyTime : scriptedLaws;
  return {
    seed,
    hash: world.trace.hash(),
    trace: world.trace.lines,
    faults: [...plan.classes],
    violations: [
      ...violationsOf({ world, journals, end }, laws),
      ...witnesses.flatMap((witness) => seenBy(witness, scenario, world.accepted.length)),
      ...sums(journals),
    ],
  };
}

/** Where wall time jumps, nobody can say what is too early. */
const lawsOfSteadyTime = Object.fromEntries(
  Object.entries(scriptedLaws).filter(([law]) => law !== 'nothing starts before its time'),
);

/** Of one process: what it ran together, and what its agents saw. */
function seenBy(
  { sights, otherOperations, meter }: Witness,
  { runs }: Scenario,
  accepted: number,
): Violation[] {
  const isolation = sights.map((detail) => ({
    invariant: 'I6',
    law: 'agents read one revision, and what they have written',
    detail,
  }));
  for (const detail of otherOperations)
    isolation.push({ invariant: 'I2', law: 'work keeps its operation id', detail });
  const [only] = runs;
  // Limits and locks of a document are those of one run of it.
  if (!only || accepted > 1) return isolation;
  const { document } = only;
  const { concurrency } = document.resources ?? {};
  const limit = typeof concurrency === 'number' ? concurrency : Infinity;
  const found = meter.together.flatMap(
    (tasks, index) =>
      heldTwice(document, tasks) ??
      overdrawn(document, tasks) ??
      crowded(document, meter.works[index] ?? []) ??
      (tasks.length > limit ? `${tasks.length} of ${limit} run` : []),
  );
  const [detail] = found;
  if (detail === undefined) return isolation;
  return [...isolation, { invariant: 'I3', law: 'limits and locks hold in a process', detail }];
}

/** A key that every operation adds one to, from what it saw, is as high as operations were applied. */
function sums(journals: Journals): Violation[] {
  const key = 'shared.sum';
  return [...journals].flatMap(([run, records]) => {
    const ops = new Set(records.flatMap((record) => (writes(record, key) ? record.op : [])));
    const memory = new RunMemory();
    for (const record of records) if (record.type === 'memory.committed') memory.apply(record);
    const sum = Number(memory.view().get(key) ?? 0);
    if (sum === ops.size || decidedByHand(records)) return [];
    const detail = `${run}: ${key} is ${sum} after ${ops.size} operations`;
    return [{ invariant: 'I2', law: 'a sum is what its operations add up to', detail }];
  });
}

function writes(
  record: JournalRecord,
  key: string,
): record is Extract<JournalRecord, { type: 'memory.committed' }> {
  return (
    record.type === 'memory.committed' &&
    (record.changes.some((change) => change.key === key) ||
      (record.merged ?? []).some((merged) => merged.key === key))
  );
}

function decidedByHand(records: readonly JournalRecord[]): boolean {
  return fold(records).conflicts.open.size > 0;
}
