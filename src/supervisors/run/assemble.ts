import type { OwnedRun } from '../../journal/journal.ts';
import type { JournalRecord, RecordBody, RunStarted } from '../../journal/record.ts';
import { ownershipOf } from '../../memory/ownership.ts';
import type { MemoryService } from '../../memory/shared/memory-service.ts';
import { errorInfo } from '../../core/errors.ts';
import { criticalPath, ranksToEnd } from '../../planning/critical-path.ts';
import type { Planner } from '../../planning/dispatch-plan.ts';
import { Frontier } from '../../planning/frontier.ts';
import { buildGraph } from '../../planning/graph.ts';
import { effectivePriorities } from '../../planning/priorities.ts';
import { emptyAgenda } from './agenda.ts';
import type { RunCore, RunServices } from './core.ts';
import { workerPort } from './dispatch.ts';
import { Ledger } from './ledger.ts';
import { ledgerService } from './proposals.ts';
import type { RunParts } from './run.ts';
import type { RunVerb } from './run-verb.ts';
import { ProviderTally } from './provider-tally.ts';
import { learnSecrets } from './secret-values.ts';
import { TaskBook } from './task-book.ts';

/** What a run is made from, besides its own actors. */
export interface AssemblyOptions {
  readonly owned: OwnedRun;
  readonly node: string;
  /** The first record of a new run; of a resumed one, the one that its journal begins with. */
  readonly start: RunStarted;
  /** Takes the run over only to cancel it. */
  readonly cancelBy?: string;
  /** Takes the run over for this. */
  readonly opening?: RunVerb | undefined;
  /** What a new run takes over from another one. */
  readonly inherited?: readonly RecordBody[] | undefined;
  readonly services: RunServices;
  /** Makes the plan that the run is dispatched by; undefined: it goes without one. */
  readonly planner?: Planner | undefined;
  /** Sees every record once it is durable. */
  readonly onRecord: (record: JournalRecord) => void;
  /** Called with the core as soon as it stands. */
  readonly onCore: (core: RunCore) => void;
}

/** Puts a run's core together: the graph of its workflow, the fold of its journal, the actors around it. */
export function assembleRun(
  options: AssemblyOptions,
  { self, supervisors, crew, escalations }: RunParts,
): RunCore {
  const { owned, node, services, onRecord } = options;
  const start = knownStart(options);
  const { workflow, simulated } = start;
  const graph = buildGraph(workflow);
  const ledger = new Ledger({
    owned,
    clock: services.clock,
    isMeasured: services.bounds?.journalBytes !== undefined,
    secrets: services.secrets,
    onDurable: () => {
      if (!core.inTurn) self.send({ type: 'records.durable' });
    },
    onLost: (error) => self.send({ type: 'run.faulted', error: errorInfo(error) }),
    onRecord,
  });
  const rules = ownershipOf(workflow);
  let proposals: MemoryService | undefined;
  const core: RunCore = {
    run: owned.run,
    node,
    epoch: owned.epoch,
    start,
    cancelBy: options.cancelBy,
    opening: options.opening,
    inherited: options.inherited,
    book: new TaskBook(workflow, simulated),
    graph,
    frontier: new Frontier(graph),
    ledger,
    rules,
    usesWorkspaces: !simulated && workflow.tasks.some(({ workspace }) => workspace !== undefined),
    proposals: () => (proposals ??= ledgerService(ledger, rules, pastOf(owned))),
    services,
    tally: new ProviderTally(),
    planner: options.planner,
    self,
    supervisors,
    crew,
    escalations,
    port: workerPort(() => core),
    ranks: ranksToEnd(graph),
    priorities: effectivePriorities(workflow, criticalPath(graph)),
    priorityOf: (id) => {
      const task = core.book.member(id)?.parent ?? core.book.task(id);
      return core.priorities.get(task.id) ?? task.priority;
    },
    live: new Map(),
    groups: new Map(),
    agenda: emptyAgenda(),
    inTurn: false,
    settled: new Set(),
    holding: 0,
    heldLocks: new Map(),
    openGroups: 0,
    halted: undefined,
    deadline: undefined,
  };
  options.onCore(core);
  return core;
}

/** Whoever carries a run must know what not to say of it. */
function knownStart({ owned, start, services }: AssemblyOptions): RunStarted {
  const { secrets, environment = {}, logger } = services;
  if (!secrets) return start;
  const isNew = owned.records.length === 0 && owned.checkpoint === undefined;
  return learnSecrets(start, isNew, { secrets, environment, logger });
}

/** What has become of memory before this process took over. */
function pastOf({ checkpoint, records }: OwnedRun): readonly JournalRecord[] {
  return checkpoint ? [...checkpoint.memory, ...records] : records;
}
