import type { TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { ErrorInfo } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/log.ts';
import { toPlain } from '../../src/core/plain.ts';
import type { PlainObject } from '../../src/core/plain.ts';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { recordFormat } from '../../src/journal/record.ts';
import type { JournalRecord, RunStarted } from '../../src/journal/record.ts';
import { rollingPlan } from '../../src/planning/dispatch-plan.ts';
import { startSystem } from '../../src/runtime/system.ts';
import type { System } from '../../src/runtime/system.ts';
import { assembleRun } from '../../src/supervisors/run/assemble.ts';
import type { RunCore } from '../../src/supervisors/run/core.ts';
import type { RunInput } from '../../src/supervisors/run/run.ts';
import type { WorkflowDocument } from '../../src/workflow/document.ts';
import { parseWorkflow } from '../../src/workflow/validate.ts';

/** A run in a {@link Process}. */
export interface RunInProcess {
  readonly records: JournalRecord[];
  core: RunCore | undefined;
  end: 'ended' | 'interrupted' | 'faulted' | undefined;
  error: ErrorInfo | undefined;
}

/** One process under the simulated clock: a supervision tree in which several runs live, one after another or together. */
export class Process {
  readonly clock = new SimulatedClock();
  readonly errors: string[] = [];
  readonly system: System;

  constructor(functions: { readonly [name: string]: TaskFunction } = {}, concurrency = 1_000_000) {
    this.system = startSystem({
      clock: this.clock,
      logger: {
        ...silentLogger,
        error: (_text, about) => this.errors.push(String((about as { actor?: string })?.actor)),
      },
      concurrency,
      functions,
      environment: {},
      progressed: () => undefined,
    });
  }

  /** Starts a run, or goes on with one by its records. */
  async begin(
    run: string,
    document: object,
    { before = [], onOpened = () => undefined, input = {} }: BeginOptions = {},
  ): Promise<RunInProcess> {
    const workflow = await parseWorkflow(document as WorkflowDocument, { baseDir: '/' });
    const made: RunInProcess = {
      records: [...before],
      core: undefined,
      end: undefined,
      error: undefined,
    };
    const start: RunStarted =
      before[0]?.type === 'run.started'
        ? before[0]
        : {
            type: 'run.started',
            run,
            format: recordFormat,
            engine: 'test',
            workflow: toPlain(workflow as never) as never,
            source: '',
            input,
            seed: 1,
            simulated: false,
          };
    const runInput: RunInput = {
      run,
      assemble: (parts) =>
        assembleRun(
          {
            owned: {
              run,
              epoch: 1 + before.filter(({ type }) => type === 'lease.taken').length,
              records: before,
              append: (records: readonly JournalRecord[], durable: () => void) => {
                made.records.push(...records);
                durable();
              },
              release: () => Promise.resolve(),
            } as never,
            node: 'node-test',
            start,
            services: this.system.services,
            planner: rollingPlan,
            onRecord: () => undefined,
            onCore: (core) => {
              made.core = core;
            },
          },
          parts,
        ),
      onOpened,
      onEnded: () => {
        made.end = 'ended';
      },
      onInterrupted: () => {
        made.end = 'interrupted';
      },
      onFault: (error) => {
        made.end = 'faulted';
        made.error = error;
      },
    };
    this.system.runs.send({ type: 'child.start', id: run, src: 'run', input: runInput });
    return made;
  }

  /** Lets time pass until these runs are over, or nothing is waited for any more. */
  async until(...runs: readonly RunInProcess[]): Promise<void> {
    await this.clock.runUntil(() => runs.every(({ end }) => end !== undefined));
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    let over = false;
    this.clock.setTimeout(() => (over = true), ms);
    await this.clock.runUntil(() => over);
  }
}

/** How a run is begun. */
export interface BeginOptions {
  /** Records to go on from. */
  readonly before?: readonly JournalRecord[];
  readonly onOpened?: () => void;
  readonly input?: PlainObject;
}
