import type {
  AgentSpec,
  BarrierSpec,
  Estimate,
  GroupSpec,
  MergerName,
  Need,
  NeedKind,
  RetrySpec,
  TaskSpec,
  Workflow,
} from '../../src/workflow/model.ts';

/** A need as a test writes it: an id (data need), or an id with a kind. Whether it is a group is looked up. */
export type NeedInput = string | { readonly on: string; readonly kind: NeedKind };

/** A task as a test writes it; whatever is left out takes the document's default. */
export type TaskInput = Partial<
  Omit<TaskSpec, 'id' | 'index' | 'needs' | 'estimate' | 'retry' | 'barrier' | 'group'>
> & {
  readonly needs?: readonly NeedInput[];
  /** Milliseconds, or both ends. */
  readonly estimate?: number | Estimate;
  readonly retry?: Partial<RetrySpec>;
  readonly barrier?: Partial<BarrierSpec>;
};

/** A group as a test writes it: its members, or more. */
export type GroupInput =
  | readonly string[]
  | (Partial<Omit<GroupSpec, 'id' | 'barrier'>> & {
      readonly members: readonly string[];
      readonly barrier?: Partial<BarrierSpec>;
    });

/** What {@link workflowOf} takes. Agents that tasks name and this does not are made. */
export interface WorkflowInput {
  readonly name?: string;
  readonly tasks: { readonly [id: string]: TaskInput };
  readonly groups?: { readonly [id: string]: GroupInput };
  readonly agents?: {
    readonly [id: string]: Partial<Omit<AgentSpec, 'id' | 'limits'>> & {
      readonly limits?: Partial<AgentSpec['limits']>;
    };
  };
  /** `concurrency`, and any other key a capacity in units. */
  readonly resources?: { readonly [kind: string]: number };
  readonly memory?: { readonly [pattern: string]: MergerName };
  readonly outputs?: Workflow['outputs'];
  readonly inputs?: Workflow['inputs'];
  readonly deadlineMs?: number;
  readonly baseDir?: string;
}

const defaultAgent = 'worker';

/** A normalised workflow with sensible defaults: agent `worker` (simulate), priority 5, three attempts, no timeouts. */
export function workflowOf(input: WorkflowInput): Workflow {
  const { concurrency, ...capacity } = input.resources ?? {};
  const groupByMember = groupsByMember(input);
  return {
    name: input.name ?? 'test',
    description: '',
    hash: '0'.repeat(64),
    baseDir: input.baseDir ?? '/',
    agents: agentsOf(input),
    tasks: Object.entries(input.tasks).map(([id, task], index) => ({
      ...taskOf({ id, task, index, input }),
      group: groupByMember.get(id),
    })),
    groups: Object.entries(input.groups ?? {}).map(([id, group]) => groupOf(id, group)),
    resources: { capacity, concurrency },
    memory: {
      keys: Object.entries(input.memory ?? {}).map(([pattern, merge]) => ({ pattern, merge })),
    },
    outputs: input.outputs,
    inputs: input.inputs ?? {},
    deadlineMs: input.deadlineMs,
  };
}

/** A barrier with the document's defaults: counts down all members, all must succeed, no timeout. */
export function barrierOf(barrier: Partial<BarrierSpec> = {}): BarrierSpec {
  return {
    type: 'count_down',
    expected: undefined,
    minSuccess: { share: 1 },
    required: [],
    timeoutMs: undefined,
    onTimeout: ['proceed_with_available'],
    extension: { byMs: 0, max: 1 },
    onFailure: 'retry_failed_worker',
    ...barrier,
  };
}

function agentsOf(input: WorkflowInput): { readonly [id: string]: AgentSpec } {
  const named = Object.values(input.tasks).map((task) => task.agent ?? defaultAgent);
  const ids = new Set([...Object.keys(input.agents ?? {}), ...named]);
  return Object.fromEntries([...ids].map((id) => [id, agentOf(id, input.agents?.[id] ?? {})]));
}

function agentOf(id: string, agent: NonNullable<WorkflowInput['agents']>[string]): AgentSpec {
  const { limits, ...rest } = agent;
  return {
    id,
    uses: 'simulate',
    module: undefined,
    export: 'default',
    command: [],
    env: [],
    isolate: 'inline',
    owns: [],
    with: {},
    ...rest,
    limits: {
      concurrency: undefined,
      maxOutputBytes: 8 * 2 ** 20,
      maxMemoryMb: 256,
      killAfterMs: 2000,
      ...limits,
    },
  };
}

function taskOf(given: {
  id: string;
  task: TaskInput;
  index: number;
  input: WorkflowInput;
}): Omit<TaskSpec, 'group'> {
  const { id, task, index, input } = given;
  const { needs, estimate, retry, barrier, ...rest } = task;
  return {
    id,
    index,
    agent: defaultAgent,
    demand: {},
    reads: [],
    writes: [],
    with: undefined,
    when: undefined,
    priority: 5,
    prioritySet: task.priority !== undefined,
    timeoutMs: undefined,
    deadlineMs: undefined,
    default: undefined,
    expand: undefined,
    aggregate: undefined,
    validates: undefined,
    maxRounds: 1,
    generated: false,
    ...rest,
    needs: (needs ?? []).map((need) => needOf(need, input)),
    estimate: typeof estimate === 'number' ? { midMs: estimate, highMs: estimate } : estimate,
    retry: {
      maxAttempts: 3,
      backoff: 'exponential',
      initialMs: 500,
      maxMs: 60_000,
      jitter: 0.5,
      budgetMs: undefined,
      ...retry,
    },
    barrier: barrier && barrierOf(barrier),
  };
}

function needOf(need: NeedInput, input: WorkflowInput): Need {
  const { on, kind } = typeof need === 'string' ? { on: need, kind: 'data' as const } : need;
  return { on, kind, target: Object.hasOwn(input.groups ?? {}, on) ? 'group' : 'task' };
}

function membersOf(group: GroupInput): readonly string[] {
  return 'members' in group ? group.members : group;
}

function groupsByMember(input: WorkflowInput): ReadonlyMap<string, string> {
  const groups = Object.entries(input.groups ?? {});
  return new Map(groups.flatMap(([id, group]) => membersOf(group).map((member) => [member, id])));
}

function groupOf(id: string, group: GroupInput): GroupSpec {
  const { members, barrier, ...rest } =
    'members' in group ? group : { members: group, barrier: undefined };
  return {
    mode: 'fork_join',
    aggregate: undefined,
    critical: true,
    validators: [],
    tier: undefined,
    ...rest,
    id,
    members,
    barrier: barrierOf(barrier),
  };
}
