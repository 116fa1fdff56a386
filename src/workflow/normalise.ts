import { isAbsolute, resolve } from 'node:path';
import { contentHash } from '../core/canonical.ts';
import { toPlain } from '../core/plain.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import { checkCycles } from './check-graph.ts';
import { checkBarriers } from './check-barriers.ts';
import { checkDemand } from './check-demand.ts';
import { checkTemplates } from './check-templates.ts';
import { checkTimes } from './check-times.ts';
import { checkFiles } from './check-file-use.ts';
import { checkTiming } from './check-timing.ts';
import { checkWriters } from './check-writers.ts';
import type { Draft } from './draft.ts';
import type { FaultList } from './fault.ts';
import type {
  AgentSpec,
  AggregateSpec,
  InputSpec,
  MemoryKeySpec,
  ResourceSpec,
  TaskSpec,
  Workflow,
  WorkspaceSpec,
} from './model.ts';
import { resolveRecovery } from './normalise-recovery.ts';
import { limitMemoryAccess, lockCapacity } from './normalise-locks.ts';
import { adaptationSpec, monitoringSpec } from './normalise-adaptation.ts';
import { memoryKeys } from './normalise-memory.ts';
import { normaliseAgents } from './normalise-agents.ts';
import { addCrossValidation, normaliseGroups } from './normalise-groups.ts';
import { durationMs } from './normalise-policies.ts';
import { secretsOf } from './normalise-secrets.ts';
import { healthSpec, sharedBreakers } from './normalise-reliability.ts';
import { limitPools, poolCapacity } from './normalise-pools.ts';
import { linkValidations, normaliseTasks, resolveNeeds } from './normalise-tasks.ts';
import { budgetSpec, checkProviders, providerSpecs } from './normalise-providers.ts';
import { normaliseTiers } from './normalise-tiers.ts';
import type { CheckedDocument } from './schema/check.ts';
import { Reach } from './reach.ts';
import { waitingOf } from './waiting.ts';

/** Keys that the document says nothing about. */
const defaultKeys: readonly MemoryKeySpec[] = [
  { pattern: 'parallel.*', merge: 'priority_merge' },
  { pattern: '>', merge: 'first_writer_wins' },
];

/** Units of cpu and memory where the document names none. */
const defaultUnits = 100;

/**
 * The workflow of a document whose shape has been checked: spellings, defaults, tiers and validations
 * resolved; what is wrong with its meaning goes to `faults`.
 */
export function normalise(document: CheckedDocument, baseDir: string, faults: FaultList): Workflow {
  const draft: Draft = {
    document,
    faults,
    agents: new Map(),
    tasks: new Map(),
    groups: new Map(),
    places: new Map(),
    unsure: new Set(),
  };
  const cut =
    faults.isMuted(['tasks']) || faults.faults.some(({ path }) => path.startsWith('tasks'));
  if (Object.keys(document.tasks).length === 0 && !cut) {
    faults.add('TRP_WORKFLOW_INVALID', 'tasks: expected at least one task', {
      path: ['tasks'],
      point: 'key',
    });
  }
  normaliseAgents(draft);
  checkProviders(draft);
  normaliseTasks(draft);
  normaliseGroups(draft);
  normaliseTiers(draft);
  resolveNeeds(draft);
  addCrossValidation(draft);
  linkValidations(draft);
  resolveRecovery(draft);
  limitMemoryAccess(draft);
  limitPools(draft);
  const resources = resourceSpec(draft);
  const keys = [...memoryKeys(draft), ...defaultKeys];
  checkMeaning(draft, resources, keys);
  return frozen(draft, { baseDir, resources, keys });
}

function checkMeaning(draft: Draft, resources: ResourceSpec, keys: readonly MemoryKeySpec[]): void {
  const waiting = waitingOf({ tasks: draft.tasks.values(), groups: draft.groups.values() });
  const ordered = checkCycles(waiting, draft);
  checkDemand(draft, resources);
  checkBarriers(draft);
  checkTimes(draft);
  checkTiming(draft);
  const reach = new Reach(waiting);
  checkTemplates(draft, { waiting, reach });
  if (!ordered) return;
  checkWriters(draft, { waiting, reach }, keys);
  checkFiles(draft, { waiting, reach });
}

function resourceSpec(draft: Draft): ResourceSpec {
  const { document } = draft;
  const {
    concurrency,
    cpu_oversubscription: factor = 1,
    memory_strict: _strict,
    allocation_strategy: _strategy,
    context_queuing: _queuing,
    context_store: _access,
    ...kinds
  } = document.resources ?? {};
  const capacity: { [kind: string]: number } = { cpu: defaultUnits, memory: defaultUnits };
  for (const [kind, value] of Object.entries(kinds)) {
    if (value !== undefined)
      capacity[kind] = typeof value === 'number' ? value : (value as { units: number }).units;
  }
  capacity['cpu'] = (capacity['cpu'] ?? defaultUnits) * factor;
  Object.assign(capacity, lockCapacity(draft), poolCapacity(draft));
  return concurrency === 'auto'
    ? { capacity, concurrency: undefined, autoConcurrency: true }
    : { capacity, concurrency };
}

interface Surroundings {
  readonly baseDir: string;
  readonly resources: ResourceSpec;
  readonly keys: readonly MemoryKeySpec[];
}

/** The hash is taken before paths are made absolute, so that a folder may move between a run and its resume. */
function frozen(draft: Draft, { baseDir, resources, keys }: Surroundings): Workflow {
  const { document } = draft;
  const adaptation = adaptationSpec(draft);
  const written = {
    name: document.name ?? 'workflow',
    description: document.description ?? '',
    agents: Object.fromEntries(draft.agents),
    tasks: [...draft.tasks.values()],
    groups: [...draft.groups.values()],
    resources,
    memory: { keys },
    outputs: document.outputs as Workflow['outputs'],
    inputs: inputSpecs(document),
    deadlineMs: durationMs(document.deadline),
    ...(adaptation && { adaptation }),
    ...(document.schedule === undefined ? {} : { schedule: document.schedule }),
    ...secretsOf(document),
    ...spendingOf(draft),
    ...reliabilityOf(draft),
  };
  const hash = contentHash(toPlain(written, 'the workflow'));
  const agents = Object.entries(written.agents).map(
    ([id, agent]) => [id, resolvedAgent(agent, baseDir)] as const,
  );
  const tasks = written.tasks.map((task): TaskSpec => ({
    ...task,
    aggregate: resolvedAggregate(task.aggregate, baseDir),
    ...(task.workspace && { workspace: resolvedWorkspace(task.workspace, baseDir) }),
  }));
  const groups = written.groups.map((group) => ({
    ...group,
    aggregate: resolvedAggregate(group.aggregate, baseDir),
  }));
  const workflow: Workflow = {
    ...written,
    agents: Object.fromEntries(agents),
    tasks,
    groups,
    hash,
    baseDir,
    ...(document.bus === undefined ? {} : { bus: document.bus }),
    ...(document.durability && { durability: document.durability }),
  };
  return toPlain(workflow, 'the workflow') as unknown as Workflow;
}

/** Absent where the document says nothing, which is what all documents did before: their hash stays. */
function spendingOf(draft: Draft): Pick<Workflow, 'providers' | 'budget'> {
  const [providers, budget] = [providerSpecs(draft), budgetSpec(draft)];
  return { ...(providers && { providers }), ...(budget && { budget }) };
}

/** Absent where the document says nothing, likewise. */
function reliabilityOf(draft: Draft): Pick<Workflow, 'breakers' | 'health' | 'monitoring'> {
  const { health } = draft.document;
  const breakers = sharedBreakers(draft);
  const monitoring = monitoringSpec(draft);
  return {
    ...(breakers && { breakers }),
    ...(health && { health: healthSpec(health) }),
    ...(monitoring && { monitoring }),
  };
}

function resolvedWorkspace({ from, into }: WorkspaceSpec, baseDir: string): WorkspaceSpec {
  const resolved = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(baseDir, path);
  return { from: resolved(from), into: resolved(into) };
}

function resolvedAgent(agent: AgentSpec, baseDir: string): AgentSpec {
  return agent.module === undefined
    ? agent
    : { ...agent, module: resolvedModule(agent.module, baseDir) };
}

function resolvedAggregate(
  aggregate: AggregateSpec | undefined,
  baseDir: string,
): AggregateSpec | undefined {
  return aggregate?.module === undefined
    ? aggregate
    : { ...aggregate, module: resolvedModule(aggregate.module, baseDir) };
}

/** Relative paths start at the document; everything else (package, URL, host:NAME) stays as written. */
function resolvedModule(module: string, baseDir: string): string {
  return /^\.{1,2}[/\\]/.test(module) || isAbsolute(module) ? resolve(baseDir, module) : module;
}

const inputKeys: ReadonlySet<string> = new Set(['default', 'required', 'description']);

function inputSpecs({ inputs = {} }: CheckedDocument): { readonly [name: string]: InputSpec } {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, source]) => [name, inputSpec(source as Plain)]),
  );
}

/** A mapping of nothing but the keys of an input describes one; null is an input without a default; anything else is a default. */
function inputSpec(source: Plain): InputSpec {
  if (source === null) return { required: true, default: undefined, description: '' };
  const keys = typeof source === 'object' && !Array.isArray(source) ? Object.keys(source) : [];
  if (keys.length === 0 || !keys.every((key) => inputKeys.has(key)))
    return { required: false, default: source, description: '' };
  const { default: value, required, description } = source as PlainObject;
  return {
    required: typeof required === 'boolean' ? required : value === undefined,
    default: value,
    description: typeof description === 'string' ? description : '',
  };
}
