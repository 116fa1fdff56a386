import type { Plain } from '../core/plain.ts';
import type { Draft, TaskDraft, TaskSource } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import { durationMs } from './normalise-policies.ts';
import { asList } from './one-or-many.ts';
import { personDeadlineMs } from './recovery.ts';
import type { RungKind, RungSpec } from './recovery.ts';

type LadderSource = NonNullable<TaskSource['escalation']>;
type RungSource = Exclude<LadderSource[number], string>;

/** Says for every task who is tried and asked when it fails. To be called when all tasks, groups and agents are there. */
export function resolveRecovery(draft: Draft): void {
  checkAgents(draft);
  for (const task of draft.tasks.values()) {
    const ladder = wholeLadder(task, draft);
    if (ladder.length > 0) task.escalation = ladder;
    if (pauses(task, draft)) task.onExhausted = 'pause';
  }
  checkReached(draft);
}

/** The document's ladder is a supervisor's: a task that never hands its failure up does not come to it. */
function checkReached({ document, tasks, faults }: Draft): void {
  if (!document.escalation || faults.isMuted(['tasks'])) return;
  const isReached = [...tasks.values()].some(({ escalation = [] }) =>
    escalation.some(({ of }) => of === 'run'),
  );
  if (isReached) return;
  faults.warn('TRP_WORKFLOW_INVALID', 'no task reaches the ladder of the document', {
    path: ['escalation'],
    point: 'key',
    hint: 'Write it under defaults for every task, or let ladders of tasks or groups have a rung supervisor.',
  });
}

function sourceOf({ id }: TaskDraft, { document }: Draft): TaskSource | undefined {
  return Object.hasOwn(document.tasks, id) ? document.tasks[id] : undefined;
}

function groupSource({ group }: TaskDraft, { document }: Draft) {
  const { groups = {} } = document;
  return group !== undefined && Object.hasOwn(groups, group) ? groups[group] : undefined;
}

/** What the task says in one word, else its group, else the document's defaults. */
function onFailureOf(task: TaskDraft, draft: Draft): TaskSource['on_failure'] {
  const ofGroup = groupSource(task, draft)?.on_failure;
  return (
    sourceOf(task, draft)?.on_failure ??
    // A group that restarts says nothing of what its members do by themselves.
    (ofGroup === 'restart' ? undefined : ofGroup) ??
    draft.document.defaults?.on_failure
  );
}

function thenOf(task: TaskDraft, draft: Draft): readonly string[] {
  const own = sourceOf(task, draft)?.retry ?? {};
  const shared = draft.document.defaults?.retry ?? {};
  const ofTask = typeof own === 'number' ? undefined : own.then;
  return asList<string>(ofTask ?? (typeof shared === 'number' ? undefined : shared.then));
}

function pauses(task: TaskDraft, draft: Draft): boolean {
  const { defaults = {} } = draft.document;
  const source: Pick<TaskSource, 'on_exhausted' | 'pause_on_exhausted'> =
    sourceOf(task, draft) ?? {};
  const said = wordOf(source) ?? wordOf(defaults);
  if (said !== undefined) return said === 'pause';
  return onFailureOf(task, draft) === 'pause' || thenOf(task, draft).includes('pause');
}

function wordOf({
  on_exhausted: word,
  pause_on_exhausted: flag,
}: Pick<TaskSource, 'on_exhausted' | 'pause_on_exhausted'>): 'fail' | 'pause' | undefined {
  if (word !== undefined || flag === undefined) return word;
  return flag ? 'pause' : 'fail';
}

/** The task's own rungs, with those of its group and of the run in the place where it is handed up. */
function wholeLadder(task: TaskDraft, draft: Draft): readonly RungSpec[] {
  const own = ownLadder(task, draft);
  const handsUp = own.some(({ kind }) => kind === 'supervisor');
  const above = rungsAbove(task, draft);
  if (handsUp)
    return own.flatMap((rung) => (rung.kind === 'supervisor' ? aboveOr(rung, above) : [rung]));
  if (above[0]?.of !== `group:${task.group}`) return own;
  const before = own.length > 0 ? own : [rungOf('retry')];
  return [...before, ...above.map((rung) => ({ ...rung, ifAllFailed: true as const }))];
}

function aboveOr(rung: RungSpec, above: readonly RungSpec[]): readonly RungSpec[] {
  return above.length > 0 ? above : [{ ...rung, of: 'run' }];
}

/** The ladders of the group and of the run, each behind a rung that says whose it is. */
function rungsAbove(task: TaskDraft, draft: Draft): readonly RungSpec[] {
  const { group } = task;
  const ofGroup = groupSource(task, draft)?.escalation;
  const ofRun = draft.document.escalation;
  return [
    ...(ofGroup && group !== undefined
      ? ladderOf(ofGroup, { of: `group:${group}`, path: ['groups', group, 'escalation'], draft })
      : []),
    ...(ofRun ? ladderOf(ofRun, { of: 'run', path: ['escalation'], draft }) : []),
  ];
}

function ladderOf(
  source: LadderSource,
  { of, path, draft }: { of: string; path: DocumentPath; draft: Draft },
): readonly RungSpec[] {
  const rungs = source.map((rung, index) => rungSpec(rung, { path: [...path, index], draft }));
  return [{ ...rungOf('supervisor'), of }, ...rungs.filter(({ kind }) => kind !== 'supervisor')];
}

function ownLadder(task: TaskDraft, draft: Draft): readonly RungSpec[] {
  const source = sourceOf(task, draft);
  const own = source?.escalation;
  const path = own ? ['tasks', task.id, 'escalation'] : ['defaults', 'escalation'];
  const written = own ?? (source ? draft.document.defaults?.escalation : undefined);
  if (written)
    return written.map((rung, index) => rungSpec(rung, { path: [...path, index], draft }));
  return impliedLadder(task, draft);
}

/** Without a ladder: the retries, what is said to follow them, and by default one peer. */
function impliedLadder(task: TaskDraft, draft: Draft): readonly RungSpec[] {
  const said = impliedKinds(task, draft);
  if (said.length === 0) return [];
  const all = onFailureOf(task, draft) === 'redistribute';
  return [
    rungOf('retry'),
    ...said.map((kind) =>
      all && kind === 'other_worker'
        ? { ...rungOf(kind), attempts: Math.max(1, peersOf(task, draft)) }
        : rungOf(kind),
    ),
  ];
}

function impliedKinds(task: TaskDraft, draft: Draft): readonly RungKind[] {
  const then = thenOf(task, draft);
  if (then.length > 0)
    return then.filter((kind): kind is RungKind => kind !== 'pause' && kind !== 'fail');
  const word = onFailureOf(task, draft);
  if (word === 'fail') return [];
  const kinds: RungKind[] = [];
  if (peersOf(task, draft) > 0 || word === 'redistribute') kinds.push('other_worker');
  if (agentsOf(task, draft).some((agent) => agent?.fallbackModels?.length))
    kinds.push('other_model');
  if (word === 'escalate') kinds.push('supervisor', 'person');
  return kinds;
}

/** The most peers that any agent of the task has. */
function peersOf(task: TaskDraft, draft: Draft): number {
  return Math.max(0, ...agentsOf(task, draft).map((agent) => agent?.peers?.length ?? 0));
}

/** The agents that members of the task, or the task itself, are done by. */
function agentsOf({ agent, expand }: TaskDraft, { agents }: Draft) {
  const ofAspects = expand?.kind === 'aspects' ? expand.aspects.map((aspect) => aspect.agent) : [];
  return [agent, ...ofAspects].map((id) => (id === undefined ? undefined : agents.get(id)));
}

function rungOf(kind: RungKind): RungSpec {
  return { kind, otherwise: 'next', ...(kind === 'person' && { deadlineMs: personDeadlineMs }) };
}

interface RungPlace {
  readonly path: DocumentPath;
  readonly draft: Draft;
}

function rungSpec(source: LadderSource[number], place: RungPlace): RungSpec {
  if (typeof source === 'string') return degradeChecked(rungOf(source), undefined, place);
  const { rung = 'degrade', attempts, deadline, max_cost: maxCost, degrade } = source;
  const plain = rungOf(rung);
  const deadlineMs = durationMs(deadline) ?? plain.deadlineMs;
  const spec: RungSpec = {
    kind: rung,
    otherwise: source.default ?? 'next',
    ...(attempts !== undefined && { attempts }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(maxCost !== undefined && { maxCost }),
    ...(degrade && { degrade: degradeOf(degrade) }),
  };
  return degradeChecked(spec, source, place);
}

function degradeOf(degrade: NonNullable<RungSource['degrade']>): NonNullable<RungSpec['degrade']> {
  const { agent, model, with: input, default: output } = degrade;
  return {
    ...(agent !== undefined && { agent }),
    ...(model !== undefined && { model }),
    ...(input !== undefined && { with: input as Plain }),
    ...(output !== undefined && { default: output as Plain }),
  };
}

function degradeChecked(
  spec: RungSpec,
  source: RungSource | undefined,
  { path, draft }: RungPlace,
): RungSpec {
  const { kind, degrade } = spec;
  if ((kind === 'degrade') !== (degrade !== undefined)) {
    const message =
      kind === 'degrade'
        ? 'a rung degrade says how less is done'
        : `degrade: belongs to a rung degrade, not ${kind}`;
    const hint = 'Write {degrade: {agent: ...}}, or model, with or default.';
    draft.faults.add('TRP_WORKFLOW_INVALID', message, {
      path: source?.degrade === undefined ? path : [...path, 'degrade'],
      hint,
    });
  }
  const agent = degrade?.agent;
  if (agent !== undefined) checkAgent(agent, [...path, 'degrade', 'agent'], draft);
  return spec;
}

function checkAgents(draft: Draft): void {
  for (const [id, { peers = [] }] of draft.agents) {
    for (const [index, peer] of peers.entries()) {
      const path = ['agents', id, 'peers', index];
      checkAgent(peer, path, draft);
      if (peer !== id) continue;
      const message = `agent "${id}" is its own peer`;
      draft.faults.add('TRP_WORKFLOW_INVALID', message, {
        path,
        hint: 'Use instances: for equal ones.',
      });
    }
  }
}

function checkAgent(agent: string, path: DocumentPath, { agents, faults }: Draft): void {
  if (agents.has(agent) || faults.isMuted(['agents', agent])) return;
  faults.add('TRP_WORKFLOW_UNKNOWN_REF', `there is no agent "${agent}"`, {
    path,
    hint: faults.suggestOrList(agent, agents, 'Agents'),
  });
}
