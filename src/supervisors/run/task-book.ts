import type { Plain } from '../../core/plain.ts';
import type {
  AgentSpec,
  AspectSpec,
  BarrierSpec,
  GroupSpec,
  TaskSpec,
  Workflow,
} from '../../workflow/model.ts';
import { aggregationId, memberId } from '../../workflow/model.ts';

/** A member that an expanding task was split into. */
interface Member {
  readonly parent: TaskSpec;
  readonly index: number;
  readonly count: number;
  readonly item: Plain;
}

const noRetry = {
  maxAttempts: 1,
  backoff: 'none',
  initialMs: 0,
  maxMs: 0,
  jitter: 0,
  budgetMs: undefined,
} as const;

/**
 * Everything that can run in one run, by id: the tasks and groups that the document declares, and those
 * that came into being with the run: members of expanded tasks, and aggregations by a function.
 */
export class TaskBook {
  readonly workflow: Workflow;
  /** How many tasks judge others. */
  judges = 0;
  private readonly tasks = new Map<string, TaskSpec>();
  private readonly groups = new Map<string, GroupSpec>();
  private readonly members = new Map<string, Member>();
  private readonly aggregations = new Map<string, string>();
  private readonly checkers = new Map<string, string[]>();
  private readonly agents = new Map<string, AgentSpec>();

  constructor(workflow: Workflow, simulated: boolean) {
    this.workflow = workflow;
    for (const agent of Object.values(workflow.agents)) {
      this.agents.set(agent.id, simulated ? simulatedAgent(agent) : agent);
    }
    for (const task of workflow.tasks) {
      this.tasks.set(task.id, task);
      if (task.validates === undefined) continue;
      this.noteChecker(task.validates, task.id);
      this.judges++;
    }
    for (const group of workflow.groups) this.groups.set(group.id, group);
  }

  /** Every task known so far, members and aggregations included. */
  ids(): string[] {
    return [...this.tasks.keys()];
  }

  task(id: string): TaskSpec {
    return known(this.tasks.get(id), 'task', id);
  }

  /** A declared group, or the members of an expanded task under the task's own id. */
  group(id: string): GroupSpec {
    return known(this.groups.get(id), 'group', id);
  }

  /** Whether the task has been split, and its members are known. */
  isExpanded(id: string): boolean {
    return this.tasks.has(id) && this.groups.has(id);
  }

  agent(id: string): AgentSpec {
    return known(this.agents.get(id), 'agent', id);
  }

  /** Tasks that judge this one's output, in document order. */
  checkersOf(id: string): readonly string[] {
    return this.checkers.get(id) ?? [];
  }

  /** Undefined for a task that the document declares. */
  member(id: string): Member | undefined {
    return this.members.get(id);
  }

  /** The group whose aggregation this task carries out; undefined for any other task. */
  aggregates(id: string): string | undefined {
    return this.aggregations.get(id);
  }

  /** The task whose members form this group; undefined for a group that the document declares. */
  expanded(groupId: string): TaskSpec | undefined {
    return this.tasks.get(groupId);
  }

  /** Splits a task into members, one per item, and gives the group that they form. */
  expand(parent: TaskSpec, items: readonly Plain[]): GroupSpec {
    const made = this.groups.get(parent.id);
    if (made) return made;
    // What members share stands once: there may be 100,000 of them.
    const base = memberBase(parent);
    const members = items.map((item, index) =>
      this.addMember(base, { parent, index, count: items.length, item }),
    );
    const group: GroupSpec = {
      id: parent.id,
      members,
      mode: 'fork_join',
      barrier: partsBarrier(parent, known(parent.barrier, 'barrier of', parent.id)),
      aggregate: parent.aggregate,
      critical: true,
      validators: [],
      tier: undefined,
    };
    this.groups.set(parent.id, group);
    return group;
  }

  /** The task that aggregates a group's outputs by a function of the user's. */
  aggregation(group: GroupSpec): TaskSpec {
    const id = aggregationId(group.id);
    const known = this.tasks.get(id);
    if (known) return known;
    this.agents.set(id, aggregationAgent(id, group));
    const task: TaskSpec = {
      ...emptyTask,
      id,
      agent: id,
      priority: 10,
      generated: true,
      timeoutMs: 600_000,
    };
    this.tasks.set(id, task);
    this.aggregations.set(id, group.id);
    return task;
  }

  /** A new round of an expanded task starts from a new split. */
  forget(parent: TaskSpec): void {
    for (const id of this.groups.get(parent.id)?.members ?? []) {
      this.tasks.delete(id);
      this.members.delete(id);
    }
    this.groups.delete(parent.id);
    const aggregation = aggregationId(parent.id);
    this.tasks.delete(aggregation);
    this.aggregations.delete(aggregation);
  }

  private addMember(base: TaskSpec, member: Member): string {
    const id = memberId(member.parent.id, member.index);
    const aspect = aspectOf(member.parent, member.index);
    const own = aspect ? { id, ...aspectParts(member.parent, aspect) } : { id };
    this.tasks.set(id, Object.assign(Object.create(base) as TaskSpec, own));
    this.members.set(id, member);
    return id;
  }

  private noteChecker(checked: string, checker: string): void {
    const list = this.checkers.get(checked);
    if (list) list.push(checker);
    else this.checkers.set(checked, [checker]);
  }
}

const emptyTask: Omit<TaskSpec, 'id' | 'agent'> = {
  index: Number.MAX_SAFE_INTEGER,
  needs: [],
  demand: {},
  reads: [],
  writes: [],
  with: undefined,
  when: undefined,
  priority: 5,
  prioritySet: true,
  estimate: undefined,
  timeoutMs: undefined,
  deadlineMs: undefined,
  retry: noRetry,
  default: undefined,
  group: undefined,
  expand: undefined,
  aggregate: undefined,
  barrier: undefined,
  validates: undefined,
  maxRounds: 0,
  generated: true,
};

function known<T>(value: T | undefined, what: string, id: string): T {
  if (value === undefined) throw new Error(`no ${what} "${id}" in this run`);
  return value;
}

/** What all members of a task have in common. */
function memberBase(parent: TaskSpec): TaskSpec {
  return {
    ...parent,
    needs: [],
    group: parent.id,
    expand: undefined,
    validates: undefined,
    when: undefined,
  };
}

/** Aspects weigh what the document says of them; the barrier knows them by the ids of their members. */
function partsBarrier({ id, expand }: TaskSpec, barrier: BarrierSpec): BarrierSpec {
  if (expand?.kind !== 'aspects') return barrier;
  const own = barrier.weights ?? {};
  const weights = expand.aspects.flatMap((aspect, index) => {
    const weight = own[aspect.id] ?? aspect.weight;
    return weight === undefined ? [] : [[memberId(id, index), weight] as const];
  });
  return weights.length > 0 ? { ...barrier, weights: Object.fromEntries(weights) } : barrier;
}

function aspectParts(parent: TaskSpec, aspect: AspectSpec): Pick<TaskSpec, 'agent' | 'with'> {
  return { agent: aspect.agent ?? parent.agent, with: aspect.with ?? parent.with };
}

function aspectOf(parent: TaskSpec, index: number): AspectSpec | undefined {
  return parent.expand?.kind === 'aspects' ? parent.expand.aspects[index] : undefined;
}

function aggregationAgent(id: string, { aggregate }: GroupSpec): AgentSpec {
  return {
    id,
    uses: 'function',
    module: aggregate?.module,
    export: aggregate?.export ?? 'default',
    command: [],
    env: [],
    limits: {
      concurrency: undefined,
      maxOutputBytes: 8 * 1024 * 1024,
      maxMemoryMb: 256,
      killAfterMs: 2000,
    },
    isolate: 'inline',
    owns: [],
    with: {},
  };
}

function simulatedAgent(agent: AgentSpec): AgentSpec {
  return agent.uses === 'simulate'
    ? agent
    : { ...agent, uses: 'simulate', isolate: 'inline', with: {} };
}
