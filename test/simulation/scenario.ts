import type { Clock } from '../../src/core/clock.ts';
import type { TaskContext, TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import { Dice } from '../../src/simulation/dice.ts';
import type { WantedRun } from '../../src/simulation/world.ts';
import { withBarrierKeys } from '../adversarial/barrier-dressing.ts';
import { Meter, scriptedFunctions } from '../adversarial/bodies.ts';
import { storyOf, workflowOf } from '../adversarial/chaos.ts';
import type { RandomDocument, RandomTask } from '../adversarial/random-workflow.ts';
import { withRecoveryKeys } from '../adversarial/recovery-dressing.ts';

/** What one world carries out: the random documents of the fuzzer, made fit for several processes. */
export interface Scenario {
  readonly processes: number;
  readonly concurrency: number;
  readonly runs: readonly (WantedRun & { readonly document: RandomDocument })[];
}

/** Slots of a process that has no limit of its own. */
const unlimited = 1_000_000;

/** The scenario of a seed; without runs when its documents contradict themselves. */
export async function scenarioOf(seed: number): Promise<Scenario> {
  const dice = new Dice(seed * 7 + 3);
  const processes = dice.between(1, 3);
  const concurrency = dice.chance(0.3) ? dice.between(2, 4) : unlimited;
  const count = dice.chance(0.3) ? 2 : 1;
  const runs: Scenario['runs'][number][] = [];
  for (let index = 0; index < count; index++) {
    const story = storyOf(seed * 5 + index);
    const document = fitted(supervised(story.document, new Dice(seed * 19 + index)), dice);
    const workflow = await workflowOf(document);
    const input: PlainObject = story.input;
    if (workflow) runs.push({ document, workflow, input, simulated: false });
  }
  return { processes, concurrency, runs };
}

/** Most documents have barriers of every kind, and much that supervision may be asked for. */
function supervised(document: RandomDocument, dice: Dice): RandomDocument {
  const barred = dice.chance(0.4) ? withBarrierKeys(document, dice) : document;
  return dice.chance(0.5) ? withRecoveryKeys(barred, dice) : barred;
}

/** Keys that tasks only write together, so that nobody may ever see one without the other. */
const pair = ['pair.left', 'pair.right'] as const;

/** In half of the documents every attempt has an end; in many, tasks write a pair of keys. */
function fitted(document: RandomDocument, dice: Dice): RandomDocument {
  const isLimited = dice.chance(0.5);
  const isPaired = dice.chance(0.5);
  const tasks = Object.entries(document.tasks).map(([id, task]) => [
    id,
    {
      ...(isLimited ? { timeout: 4_000 } : {}),
      ...task,
      ...(isPaired && id.startsWith('t') ? { writes: [...(task.writes ?? []), ...pair] } : {}),
    } as RandomTask,
  ]);
  const keys = Object.fromEntries(pair.map((key) => [key, { merge: 'priority_merge' }]));
  const memory = document.memory as { keys?: { readonly [key: string]: object } } | undefined;
  const known = isPaired ? united(memory?.keys) : memory?.keys;
  return {
    ...document,
    tasks: Object.fromEntries(tasks) as RandomDocument['tasks'],
    ...(isPaired ? { memory: { ...memory, keys: { ...known, ...keys } } } : {}),
  };
}

/** What is appended to lists may as well be united: then it does not matter who comes first. */
function united(keys: { readonly [key: string]: object } = {}): { readonly [key: string]: object } {
  const appended = 'shared.append';
  return appended in keys ? { ...keys, [appended]: { merge: 'union' } } : keys;
}

/** Watches what agents of one process see, whatever the runtime believes. */
export class Witness {
  readonly meter = new Meter();
  /** What agents saw that they should never see. */
  readonly sights: string[] = [];
  /** Work whose idempotency key was another one before. */
  readonly otherOperations: string[] = [];
  /** By work, over all processes of a world. */
  private readonly operations: Map<string, string>;

  constructor(operations: Map<string, string>) {
    this.operations = operations;
  }

  /** The scripted functions, which also write and read the pair where they may. */
  functions(clock: Clock): { readonly [name: string]: TaskFunction } {
    const scripted = scriptedFunctions(clock, this.meter);
    const worker = scripted['worker'] as TaskFunction;
    return { ...scripted, worker: (context) => this.worked(context, worker) };
  }

  private worked(context: TaskContext, worker: TaskFunction): unknown {
    const { memory, run, task, iteration, operation } = context;
    const work = `${run}/${task}/${iteration}`;
    const known = this.operations.get(work) ?? operation;
    this.operations.set(work, operation);
    if (known !== operation) this.otherOperations.push(`${work} was ${known}, is ${operation}`);
    const seen = pair.map((key) => memory.get(key));
    if (seen[0] !== seen[1])
      this.sights.push(`${task} saw a half of a changeset: ${seen.join(', ')}`);
    if ((context.input as { write?: true } | null)?.write) {
      for (const key of pair) memory.set(key, operation);
      if (memory.get(pair[0]) !== operation)
        this.sights.push(`${task} does not read what it wrote`);
    }
    return Promise.resolve(worker(context)).finally(() => this.readAgain(context, seen));
  }

  /** What an attempt has read once it reads again, however long it takes. */
  private readAgain({ memory, task, operation }: TaskContext, seen: readonly unknown[]): void {
    const now = pair.map((key) => memory.get(key));
    if (now[0] === seen[0] && now[1] === seen[1]) return;
    if (now.every((value) => value === operation)) return;
    this.sights.push(`${task} saw memory change: ${seen.join(', ')} became ${now.join(', ')}`);
  }
}
