import { isDeepStrictEqual } from 'node:util';
import { fold } from '../../src/journal/fold.ts';
import { crowded, heldTwice, overdrawn } from './together.ts';
import type { Work } from './together.ts';
import type { PhaseResult, Story } from './chaos.ts';
import type { Breach } from '../../src/simulation/journal-laws.ts';

/** Says what is wrong with how a process ended, or undefined. */
type Check = (result: PhaseResult, story: Story) => string | undefined;

/** The name of a law is the sentence that it states. These hold for every process, however it ended. */
const always: { readonly [law: string]: Check } = {
  'a run comes to an end': ({ end, run }) =>
    end === 'running' ? `it stands still with ${[...run.core.live.keys()].join(', ')}` : undefined,

  'a run does not fault': ({ end, run }) => (end === 'faulted' ? run.fault?.message : undefined),

  'no run is taken to be stuck': ({ process, run }) =>
    process.deaths.find((line) => line.includes('is stuck')) ?? run.core.stuck?.join(', '),

  'no actor dies': ({ process }) => process.deaths[0],

  'no more bodies run at one time than the document allows': ({ meter }, { document }) => {
    const { concurrency } = document.resources ?? {};
    const limit = typeof concurrency === 'number' ? concurrency : Infinity;
    return meter.max > limit ? `${meter.max} of ${limit}` : undefined;
  },

  'nobody writes under a lock while another holds it': ({ meter }, { document }) =>
    firstOf(meter.together, (tasks) => heldTwice(document, tasks)),

  'no more units are in use than there are': ({ meter }, { document }) =>
    firstOf(meter.together, (tasks) => overdrawn(document, tasks)),

  'no agent works at more than its limit at one time': ({ meter }, { document }) =>
    firstWork(meter.works, (works) => crowded(document, works)),

  'a decision about an open conflict is taken': ({ run }) => run.refusals[0]?.message,

  'after every record the state of the run is the fold of the journal': ({ strayed }) => strayed,

  'an attempt runs once': ({ meter }) =>
    [...meter.calls.keys()].find((attempt) => (meter.calls.get(attempt) ?? 0) > 1),

  'a cancelled run ends as soon as its attempts do': ({ end, run, phase }) => {
    const took = run.endedAt - cancelledAt(run.store.written);
    return end === 'ended' && took > slowestEndMs + 4 * phase.syncMs ? `${took} ms` : undefined;
  },
};

/** These hold for a process that ended or interrupted its run by itself. */
const atRest: { readonly [law: string]: Check } = {
  'no attempt and no permit outlives the run': ({ process, run }) => {
    const { permits, waiting, scopes, attempts, calls, busyAgents } = process.inUse(agents);
    const left = {
      permits,
      waiting,
      scopes,
      attempts,
      calls,
      locks: run.core.heldLocks.size,
      holding: run.core.holding,
    };
    const held = Object.entries(left).filter(([, count]) => count > 0);
    return textOf([...held.map(([name, count]) => `${count} ${name}`), ...busyAgents]);
  },

  'no body outlives the run': ({ meter }) => textOf(meter.now > 0 ? [`${meter.now}`] : []),

  'the fold of the journal equals the state of the run': ({ run, records }) => {
    const { state } = run.core.ledger;
    return isDeepStrictEqual(fold(records), state) ? undefined : differenceOf(fold(records), state);
  },
};

/** These hold for a process that brought its run to the end. */
const atEnd: { readonly [law: string]: Check } = {
  'no live task and no live group outlives the run': ({ run }) =>
    textOf([...run.core.live.keys(), ...run.core.groups.keys()]),

  'no deadline outlives the run': ({ process }) =>
    textOf(process.pendingDeadlines().map((due) => `one is due at ${due}`)),
};

/** Holds how a process ended against the laws. */
export function endBreachesOf(result: PhaseResult, story: Story): readonly Breach[] {
  const { end } = result;
  const laws = {
    ...always,
    ...(end === 'ended' || end === 'interrupted' ? atRest : {}),
    ...(end === 'ended' ? atEnd : {}),
  };
  return Object.entries(laws).flatMap(([law, check]) => {
    const detail = check(result, story);
    return detail === undefined ? [] : [{ law, detail }];
  });
}

const agents = ['worker', 'checker'];

/** Longest lingering of a body, an aggregation with its own, and the delays of a retry in flight. */
const slowestEndMs = 120 + 40 + 40 + 20;

type Records = PhaseResult['records'];

/** When the newest owner of the run was asked to cancel it; Infinity: never. */
function cancelledAt(records: Records): number {
  const takeover = records.findLastIndex(({ type }) => type === 'lease.taken');
  const request = records.slice(takeover).find(({ type }) => type === 'run.cancel_requested');
  return request?.at ?? Infinity;
}

function firstOf(
  moments: readonly (readonly string[])[],
  fault: (tasks: readonly string[]) => string | undefined,
): string | undefined {
  for (const tasks of moments) {
    const found = fault(tasks);
    if (found !== undefined) return `${found} of ${tasks.join(', ')}`;
  }
  return undefined;
}

function firstWork(
  moments: readonly (readonly Work[])[],
  fault: (works: readonly Work[]) => string | undefined,
): string | undefined {
  for (const works of moments) {
    const found = fault(works);
    if (found !== undefined) return `${found}: ${works.map(({ task }) => task).join(', ')}`;
  }
  return undefined;
}

function textOf(parts: readonly string[]): string | undefined {
  return parts.length > 0 ? parts.join(', ') : undefined;
}

type State = ReturnType<typeof fold>;

/** The first row that differs. */
function differenceOf(folded: State, live: State): string {
  for (const map of ['tasks', 'groups'] as const) {
    for (const id of new Set([...folded[map].keys(), ...live[map].keys()])) {
      const [one, other] = [folded[map].get(id), live[map].get(id)];
      if (isDeepStrictEqual(one, other)) continue;
      return `${id}: ${JSON.stringify(one)} in the journal, ${JSON.stringify(other)} live`;
    }
  }
  return 'elsewhere than in a task or a group';
}
