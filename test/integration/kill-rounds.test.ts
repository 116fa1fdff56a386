import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/random.ts';
import { finishedIn, journalsIn } from './support/journal.ts';
import type { StoredJournal } from './support/journal.ts';
import {
  expectedIterations,
  journaledSteps,
  ObservedWorld,
  operationOf,
} from './support/observed-world.ts';
import { endPrograms, Program } from './support/program.ts';
import type { ProgramEnd } from './support/program.ts';

/** More rounds: TROUPE_KILL_ROUNDS. A failure names its seed, for TROUPE_KILL_SEED. */
const rounds = Number(process.env['TROUPE_KILL_ROUNDS'] ?? 10);
const seed = Number(process.env['TROUPE_KILL_SEED'] ?? Date.now() % 2 ** 31);

let world: ObservedWorld;

beforeEach(() => {
  world = new ObservedWorld();
});

afterEach(async () => {
  await endPrograms();
  world.remove();
});

/** What is known about the runs of a data folder when nobody works on them. */
class Ledger {
  private journals: readonly StoredJournal[] = [];
  private effects = 0;

  /** Of the newest run; undefined before there is one whose start was written. */
  get newest(): StoredJournal | undefined {
    return this.journals.findLast(({ records }) => records.length > 0);
  }

  /** Takes in what happened since the last look, and holds it against what stood in the journals then. */
  async look(context: string): Promise<void> {
    const before = this.journals;
    const effects = world.effects().slice(this.effects);
    this.effects += effects.length;
    this.journals = await journalsIn(world.data);
    for (const { run, records } of before) {
      const now = this.journals.find((journal) => journal.run === run)?.records;
      expect(now?.slice(0, records.length), `${context}: the journal only grows`).toEqual(records);
      const done = new Set(finishedIn(records).map((iteration) => operationOf(run, iteration)));
      const again = effects.filter(({ operation }) => done.has(operation));
      expect(again, `${context}: nothing that succeeded runs again`).toEqual([]);
      const steps = journaledSteps(run, records);
      const repeated = effects.filter(({ operation, step }) => steps.has(`${operation}/${step}`));
      expect(repeated, `${context}: a journaled step is not done again`).toEqual([]);
    }
  }
}

type Kill = (newest: StoredJournal | undefined) => Promise<ProgramEnd>;

function program(newest: StoredJournal | undefined, env: NodeJS.ProcessEnv = {}): Program {
  const options = ['--jsonl', '--quiet', '--data', world.data];
  const args = newest ? ['resume', newest.run] : ['run', 'flow.json'];
  const dying = join(import.meta.dirname, 'support', 'die-at-write.mjs');
  const preload = 'DIE_AT_WRITE' in env ? [dying] : [];
  return Program.start([...args, ...options], { cwd: world.folder, env, preload });
}

/** From outside, when so many events have been seen; never, when the run ends before. */
function killedAtEvent(count: number): Kill {
  return async (newest) => {
    const victim = program(newest);
    let seen = 0;
    const counted = victim.event(`${count} events`, () => ++seen === count);
    await counted.catch(() => undefined);
    return victim.kill();
  };
}

/** From inside, at one write of the journal. */
function killedAtWrite(count: number, where: string): Kill {
  return (newest) => program(newest, { DIE_AT_WRITE: String(count), DIE_WHERE: where }).ended;
}

function drawKill(random: () => number): { readonly name: string; readonly kill: Kill } {
  const kind = ['event', 'before', 'torn', 'after'][Math.floor(random() * 4)] ?? 'event';
  const count = 1 + Math.floor(random() * 16);
  const kill = kind === 'event' ? killedAtEvent(count) : killedAtWrite(count, kind);
  return { name: `${kind} ${count}`, kill };
}

function checkEnded({ run, records }: StoredJournal, context: string): void {
  expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
  const finished = finishedIn(records).filter((iteration) => iteration !== 'each#1');
  const sorted = expectedIterations.toSorted();
  expect(finished.toSorted(), `${context}: each result is applied once`).toEqual(sorted);
  const commits = records.filter((record) => record.type === 'memory.committed');
  const writers = expectedIterations.filter((iteration) => !iteration.startsWith('review'));
  const operations = writers.map((iteration) => operationOf(run, iteration));
  expect(commits.map(({ op }) => op).toSorted(), context).toEqual(operations.toSorted());
  const expected = expectedIterations.map((iteration) => operationOf(run, iteration));
  const told = world.effects().map(({ operation }) => operation);
  expect(new Set(told.filter((operation) => expected.includes(operation))), context).toEqual(
    new Set(expected),
  );
}

/** A step is repeated by another process only, when the one before died between the effect and its record. */
function checkSteps(context: string): void {
  const done = world.effects().filter(({ kind }) => kind === 'step');
  const byProcess = done.map(({ operation, pid, step }) => `${pid} ${operation}/${step}`);
  expect(byProcess.length, `${context}: a process does a step once`).toBe(new Set(byProcess).size);
}

describe('a run that is killed at random points and resumed, again and again', () => {
  it('applies every result once, repeats no journaled step, and ends as it would have', async () => {
    const random = seededRandom(seed);
    const ledger = new Ledger();
    const runs = new Set<string>();
    let kills = 0;
    let context = `seed ${seed}`;
    let open: StoredJournal | undefined;
    for (let round = 1; round <= rounds; round++) {
      const { name, kill } = drawKill(random);
      context += `, ${name}`;
      const { code, signal, stderr, stdout } = await kill(open);
      expect(code ?? signal, `${context}\n${stderr}\n${stdout.slice(-500)}`).toBeOneOf([
        'SIGKILL',
        0,
      ]);
      if (signal) kills++;
      await ledger.look(context);
      open = ledger.newest;
      if (open) runs.add(open.run);
      if (open?.records.at(-1)?.type !== 'run.ended') continue;
      checkEnded(open, context);
      open = undefined;
    }
    const { code, lines } = await program(open).ended;
    await ledger.look(context);
    expect([code, lines.at(-1)?.['status']], context).toEqual([0, 'succeeded']);
    if (ledger.newest) checkEnded(ledger.newest, context);
    checkSteps(context);
    expect(kills, context).toBeGreaterThan(rounds / 2);
    const told = world.effects();
    const known = new Set(
      [...runs, ledger.newest?.run ?? ''].flatMap((run) =>
        expectedIterations.map((iteration) => operationOf(run, iteration)),
      ),
    );
    expect(
      told.filter(({ operation }) => !known.has(operation)),
      context,
    ).toEqual([]);
  }, 120_000);
});
