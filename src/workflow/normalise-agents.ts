import { parseBytes } from './bytes.ts';
import { checkCommandLine, wordsOf } from './command-line.ts';
import type { Draft, TaskSource } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import { qualifiedKey } from './model.ts';
import type { AgentSpec, BehaviourKind } from './model.ts';
import { durationMs, moduleOf } from './normalise-policies.ts';
import { agentReliability } from './normalise-reliability.ts';
import { agentPool } from './normalise-pools.ts';
import type { CheckedDocument } from './schema/check.ts';
import { strayEntry, strayHint } from './schema/stray-keys.ts';

type AgentSource = NonNullable<CheckedDocument['agents']>[string];

/** Keys that say how work is done; on a task they make an agent of the task's name. */
const behaviourKeys = ['uses', 'module', 'command'] as const;
const behaviourDetails = [
  'export',
  'env',
  'limits',
  'isolate',
  'owns',
  'provider',
  'model',
] as const;

const defaultLimits = { maxOutputBytes: 8 * 1024 ** 2, maxMemoryMb: 256, killAfterMs: 2000 };

/** The agents of the document, and those that tasks declare in themselves. */
export function normaliseAgents(draft: Draft): void {
  for (const [id, source] of Object.entries(draft.document.agents ?? {})) {
    draft.agents.set(id, agentSpec(id, source, { draft, path: ['agents', id] }));
  }
  for (const [id, task] of Object.entries(draft.document.tasks)) addInlineAgent(id, task, draft);
}

/** The agent that does a task, by the rules of the document; a fault when there is none. */
export function agentOf(id: string, source: TaskSource, draft: Draft): string {
  const { agents, document, faults } = draft;
  const named = source.agent ?? (isInline(source) ? id : document.defaults?.agent) ?? id;
  if (agents.has(named) || faults.isMuted(['agents', named])) return named;
  if (source.agent !== undefined) {
    const hint = faults.suggestOrList(named, agents, 'Agents');
    faults.add(
      'TRP_WORKFLOW_UNKNOWN_REF',
      `task "${id}" names an agent "${named}" that is not defined`,
      { path: ['tasks', id, 'agent'], hint },
    );
  } else if (named === id) {
    const stray = strayEntry(['tasks', id]);
    const hint = stray
      ? strayHint(stray, Object.keys(document.tasks))
      : 'Add agent:, defaults.agent, or uses: to the task.';
    faults.add(
      'TRP_WORKFLOW_UNKNOWN_REF',
      `task "${id}" names no agent, and no agent is called "${id}"`,
      { path: ['tasks', id], point: 'key', hint },
    );
  }
  return named;
}

function isInline(source: TaskSource): boolean {
  return behaviourKeys.some((key) => source[key] !== undefined);
}

function addInlineAgent(id: string, task: TaskSource, draft: Draft): void {
  const path = ['tasks', id];
  const { faults } = draft;
  if (!isInline(task)) {
    const stray = behaviourDetails.find((key) => task[key] !== undefined);
    if (stray === undefined) return;
    const hint = 'Put it into the agent, or add uses: to the task.';
    faults.add('TRP_WORKFLOW_INVALID', `${stray}: belongs to an agent`, {
      path: [...path, stray],
      point: 'key',
      hint,
    });
    return;
  }
  if (task.agent !== undefined) {
    const hint = 'Keep either agent: or uses:.';
    faults.add('TRP_WORKFLOW_INVALID', `task "${id}" names an agent and declares one in itself`, {
      path: [...path, 'agent'],
      hint,
    });
  }
  if (draft.agents.has(id)) {
    faults.add(
      'TRP_WORKFLOW_INVALID',
      `agent "${id}" is declared twice: under agents and in the task`,
      { path, point: 'key' },
    );
  }
  draft.agents.set(id, agentSpec(id, { ...pickBehaviour(task) }, { draft, path }));
}

function pickBehaviour(task: TaskSource): AgentSource {
  const { uses, module, command, env, limits, isolate, owns, provider, model } = task;
  const how = { uses, module, export: task.export, command, env, limits, isolate };
  return { ...how, owns, provider, model };
}

interface AgentPlace {
  readonly draft: Draft;
  readonly path: DocumentPath;
}

function agentSpec(id: string, source: AgentSource, place: AgentPlace): AgentSpec {
  const uses = checkedUses(id, source, place);
  const { env = [], isolate = 'inline', owns = [] } = source;
  const target = source.module === undefined ? undefined : moduleOf(source.module, source.export);
  return {
    id,
    uses,
    module: uses === 'function' ? target?.module : undefined,
    export: target?.export ?? source.export ?? 'default',
    command: uses === 'command' ? wordsOf(source.command) : [],
    env,
    limits: limitsOf(source),
    ...severalOf(source),
    isolate,
    owns: owns.map((key) => qualifiedKey(id, key)),
    ...callsOf(source),
    ...othersOf(source),
    ...agentReliability(source, place.draft),
    ...agentPool(source, place.draft, place.path),
    with: source.with ?? {},
  };
}

/** Absent where the agent says nothing, as in all documents before: their hash stays. */
function callsOf({
  provider,
  model,
  budget,
}: AgentSource): Pick<AgentSpec, 'provider' | 'model' | 'budget'> {
  return {
    ...(provider !== undefined && { provider }),
    ...(model !== undefined && { model }),
    ...(budget !== undefined && { budget }),
  };
}

/** Who, and what, can stand in for it. */
function othersOf({
  peers,
  fallback_models: fallbackModels,
}: AgentSource): Pick<AgentSpec, 'peers' | 'fallbackModels'> {
  return { ...(peers && { peers }), ...(fallbackModels && { fallbackModels }) };
}

/** Absent for one instance, which is what all agents had before: the hash of their documents stays. */
function severalOf({ instances = 1 }: AgentSource): Pick<AgentSpec, 'instances'> {
  return instances === 1 ? {} : { instances };
}

/** How the agent works; `simulate` stands in for an answer that is missing, which is a fault. */
function checkedUses(id: string, source: AgentSource, { draft, path }: AgentPlace): BehaviourKind {
  const { faults } = draft;
  const uses = usesOf(source);
  if (uses !== undefined) {
    checkBehaviour(uses, source, { draft, path });
    return uses;
  }
  if (!faults.isMuted([...path, 'uses'])) {
    const hint = 'Add uses: function, command or simulate.';
    faults.add('TRP_WORKFLOW_INVALID', `agent "${id}" does not say how it works`, {
      path,
      point: 'key',
      hint,
    });
  }
  return 'simulate';
}

function usesOf(source: AgentSource): BehaviourKind | undefined {
  if (source.uses !== undefined) return source.uses;
  if (source.module !== undefined) return 'function';
  return source.command === undefined ? undefined : 'command';
}

const behaviourHints = {
  module: 'Add module: ./file.mjs, or host:NAME.',
  command: 'Add command: [program, argument].',
};

function checkBehaviour(
  uses: BehaviourKind,
  source: AgentSource,
  { draft, path }: AgentPlace,
): void {
  checkCommandLine(source.command, [...path, 'command'], draft.faults);
  const missing = missingFor(uses, source);
  if (missing === undefined) return;
  draft.faults.add('TRP_WORKFLOW_INVALID', `uses: ${uses} needs ${missing}`, {
    path: [...path, 'uses'],
    hint: behaviourHints[missing],
  });
}

function missingFor(uses: BehaviourKind, source: AgentSource): 'module' | 'command' | undefined {
  if (uses === 'function' && source.module === undefined) return 'module';
  return uses === 'command' && wordsOf(source.command).length === 0 ? 'command' : undefined;
}

function limitsOf({ limits }: AgentSource): AgentSpec['limits'] {
  const maxMemoryBytes =
    limits?.max_memory === undefined ? undefined : parseBytes(limits.max_memory);
  return {
    concurrency: limits?.concurrency,
    maxOutputBytes:
      (limits?.max_output === undefined ? undefined : parseBytes(limits.max_output)) ??
      defaultLimits.maxOutputBytes,
    maxMemoryMb:
      maxMemoryBytes === undefined
        ? defaultLimits.maxMemoryMb
        : Math.max(1, Math.ceil(maxMemoryBytes / 1024 ** 2)),
    killAfterMs: durationMs(limits?.kill_after) ?? defaultLimits.killAfterMs,
  };
}
