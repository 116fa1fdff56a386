import { isDeepStrictEqual } from 'node:util';
import { fold } from '../journal/fold.ts';
import type { JournalRecord } from '../journal/record.ts';
import { leftIn } from './census.ts';
import { breachesOf } from './journal-laws.ts';
import { orderFault } from './merge-order.ts';
import { blamedUnheard, completedTwice, saidTwice, startedInPause } from './plain-laws.ts';
import type { SharedRun, Taken } from './shared-store.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { World, WorldEnd } from './world.ts';

/** An invariant that did not hold, and where. */
export interface Violation {
  /** `I1` to `I13`, as docs/testing.md lists them. */
  readonly invariant: string;
  /** The sentence that was broken. */
  readonly law: string;
  /** Where and how. */
  readonly detail: string;
}

/** Journals of the accepted runs of a world that has stopped. */
export type Journals = ReadonlyMap<string, readonly JournalRecord[]>;

/** Where to look, once the world has stopped. */
interface Scene {
  readonly world: World;
  readonly journals: Journals;
  readonly end: WorldEnd;
}

/** One invariant as a check: what is wrong, line by line. */
interface Invariant {
  readonly id: string;
  readonly law: string;
  readonly check: (scene: Scene) => readonly string[];
}

const invariants: readonly Invariant[] = [
  {
    id: 'I1',
    law: 'every run that was accepted ends in exactly one state, and so does every task of it',
    check: ({ journals, end }) => (end === 'ended' ? each(journals, endsOnce) : []),
  },
  {
    id: 'I2',
    law: 'what an operation changes in memory is applied at most once',
    check: ({ journals }) => each(journals, twiceCommitted),
  },
  {
    id: 'I4',
    law: 'nobody writes under an epoch that is lower than one that was given out',
    check: ({ world }) => world.store.taken.flatMap(lateWrite),
  },
  {
    id: 'I4',
    law: 'the epochs of a journal only grow',
    check: ({ journals }) => each(journals, fallingEpochs),
  },
  {
    id: 'I5',
    law: 'concurrent changesets come to one memory, in any order and however often they are proposed',
    check: ({ journals }) => each(journals, orderFault),
  },
  {
    id: 'I6',
    law: 'an attempt reads one revision of memory, whole, and no older one than the attempt before it',
    check: ({ world, journals }) => world.sightings.faults(journals, world.store.taken),
  },
  {
    id: 'I3',
    law: 'a task has one output in each of its rounds',
    check: ({ journals }) => each(journals, completedTwice),
  },
  {
    id: 'I2',
    law: 'a step and a late result count once in a round of their task',
    check: ({ journals }) => each(journals, saidTwice),
  },
  {
    id: 'I12',
    law: 'a pause holds until its end, whoever carries the run meanwhile',
    check: ({ journals }) => each(journals, startedInPause),
  },
  {
    id: 'I1',
    law: 'a group fails for want of a required member only when that one has not succeeded',
    check: ({ journals }) => each(journals, blamedUnheard),
  },
  {
    id: 'I12',
    law: 'a live run is the fold of its journal',
    check: ({ world, journals }) => strayedRuns(world, journals),
  },
  {
    id: 'I7',
    law: 'a breaker goes from state to state as it may; open lets no call through, half open as many as it may',
    check: ({ world }) => world.illegalBreakers,
  },
  {
    id: 'I8',
    law: 'a group is restarted no more often than it may be in any window, and escalates once',
    check: ({ journals }) => each(journals, tooManyRestarts),
  },
  {
    id: 'I9',
    law: 'nothing outlives its process: no actor, timer, deadline, subscription, attempt, permit or call',
    check: ({ world }) => world.processes.flatMap(leftBy),
  },
  {
    id: 'I9',
    law: 'no actor dies of an error that nobody expected',
    check: ({ world }) =>
      world.processes.flatMap(({ node, deaths }) => deaths.map((death) => `${node}: ${death}`)),
  },
  {
    id: 'I10',
    law: 'a journal is bounded by the work that it tells of',
    check: ({ journals }) => each(journals, tooLong),
  },
  {
    id: 'I11',
    law: 'after everything has healed all runs end in time',
    check: ({ world, end }) => (end === 'stuck' ? [whatIsLeft(world)] : []),
  },
  {
    id: 'I13',
    law: 'what was acknowledged is in the journal, at its place and unchanged',
    check: ({ world, journals }) => lostRecords(world, journals),
  },
  {
    id: 'I13',
    law: 'nobody is told of an end that is not in the journal',
    check: ({ world }) => world.earlyEnds,
  },
];

/** Which invariant a law of journals belongs to; the others are of I3. */
const lawInvariants: { readonly [law: string]: string } = {
  'records are numbered from 1 without gaps': 'I13',
  'a task ends once': 'I1',
  'a run ends with a reason': 'I1',
  'at the end of a run every task and every group has ended': 'I1',
  'an open conflict is decided once': 'I2',
  'a contribution is merged once, before its group ends': 'I2',
};

/** Holds a world that has stopped against every invariant. */
export function violationsOf(scene: Scene, laws?: Parameters<typeof breachesOf>[1]): Violation[] {
  const own = invariants.flatMap(({ id, law, check }) =>
    check(scene).map((detail) => ({ invariant: id, law, detail })),
  );
  const ofJournals = [...scene.journals].flatMap(([run, records]) =>
    breachesOf(records, laws).map(({ law, detail }) => ({
      invariant: lawInvariants[law] ?? 'I3',
      law,
      detail: `${run}: ${detail}`,
    })),
  );
  return [...own, ...ofJournals];
}

function each(
  journals: Journals,
  fault: (records: readonly JournalRecord[]) => string | undefined,
): string[] {
  return [...journals].flatMap(([run, records]) => {
    const found = fault(records);
    return found === undefined ? [] : [`${run}: ${found}`];
  });
}

function endsOnce(records: readonly JournalRecord[]): string | undefined {
  const ends = records.filter(({ type }) => type === 'run.ended').length;
  const reopenings = records.filter(({ type }) => type === 'run.reopened').length;
  return ends - reopenings === 1 ? undefined : `it has ${ends} ends and ${reopenings} reopenings`;
}

function twiceCommitted(records: readonly JournalRecord[]): string | undefined {
  const seen = new Set<string>();
  for (const record of records) {
    if (record.type !== 'memory.committed') continue;
    if (seen.has(record.op)) return `operation ${record.op} of ${record.task} is applied again`;
    seen.add(record.op);
  }
  return undefined;
}

function lateWrite({ run, epoch, newest, node }: Taken): string[] {
  if (epoch >= newest) return [];
  return [`${node} wrote to ${run} in epoch ${epoch}, when there was ${newest}`];
}

function fallingEpochs(records: readonly JournalRecord[]): string | undefined {
  let last = 0;
  for (const record of records) {
    if (record.type !== 'lease.taken') continue;
    if (record.epoch <= last) return `epoch ${record.epoch} follows ${last}`;
    last = record.epoch;
  }
  return undefined;
}

/** Of the newest owner of each run, where it has come to the end. */
function strayedRuns({ processes }: World, journals: Journals): string[] {
  return [...journals].flatMap(([run, records]) => {
    const last = records.findLast(({ type }) => type === 'lease.taken');
    const epoch = last?.type === 'lease.taken' ? last.epoch : 0;
    const core = processes
      .flatMap(({ cores }) => cores)
      .find((one) => one.run === run && one.epoch === epoch);
    if (!core || records.at(-1)?.type !== 'run.ended') return [];
    if (isDeepStrictEqual(fold(records), core.ledger.state)) return [];
    return [`${run}: what ${core.node} held was another state`];
  });
}

function tooManyRestarts(records: readonly JournalRecord[]): string | undefined {
  const groups = fold(records).workflow?.groups ?? [];
  const faults = groups.map(({ id, restart }) => {
    const own = records.filter((record) => 'group' in record && record.group === id);
    const escalations = own.filter(({ type }) => type === 'group.escalated').length;
    if (escalations > 1) return `${id} escalates ${escalations} times`;
    const times = own.flatMap((record) => (record.type === 'group.restarted' ? record.due : []));
    const most = mostWithin(times, restart?.withinMs ?? 0);
    return restart && most > restart.maxRestarts ? `${id}: ${most} restarts` : undefined;
  });
  return faults.find((fault) => fault !== undefined);
}

/** The most of some times that lie within one window. */
function mostWithin(times: readonly number[], windowMs: number): number {
  const counts = times.map(
    (last) => times.filter((time) => time > last - windowMs && time <= last).length,
  );
  return Math.max(0, ...counts);
}

function leftBy({ node, atRest, afterStop }: SimulatedProcess): string[] {
  const before = atRest && leftIn(atRest);
  if (before !== undefined) return [`${node} left ${before}`];
  const after = afterStop && leftIn(afterStop);
  return after === undefined ? [] : [`${node} left ${after} when it had stopped`];
}

/** Records that one attempt, one takeover, one task or group may cost. */
const most = { attempt: 16, takeover: 12, row: 20, run: 60 };

function tooLong(records: readonly JournalRecord[]): string | undefined {
  const attempts = records.filter(({ type }) => type === 'task.started').length;
  const takeovers = records.filter(({ type }) => type === 'lease.taken').length;
  const { tasks, groups } = fold(records);
  const rows = tasks.size + groups.size;
  const limit = most.run + attempts * most.attempt + takeovers * most.takeover + rows * most.row;
  return records.length > limit ? `${records.length} records, ${limit} expected` : undefined;
}

function whatIsLeft({ store, accepted, processes }: World): string {
  const open = accepted.filter((run) => !(store.runs.get(run) as SharedRun).hasEnded);
  const holders = processes
    .filter(({ clock, live }) => clock.isAlive && live.size > 0)
    .map(({ node, live, cores }) => {
      const tasks = cores
        .filter(({ run }) => live.has(run))
        .flatMap((core) => [...core.live.keys()]);
      return `${node} has ${[...live.keys()].join(', ')} with ${tasks.join(', ')}`;
    });
  return [`open: ${open.join(', ')}`, ...holders].join('; ');
}

function lostRecords({ acknowledged }: World, journals: Journals): string[] {
  for (const { run, node, record } of acknowledged) {
    const kept = journals.get(run)?.[record.seq - 1];
    if (isDeepStrictEqual(kept, record)) continue;
    return [`${run}: record ${record.seq} of ${node}, ${record.type}, is ${kept?.type ?? 'lost'}`];
  }
  return [];
}
