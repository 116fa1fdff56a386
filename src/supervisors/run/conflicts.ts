import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { ConflictRecorded, MemoryChange, OpenSide, RecordBody } from '../../journal/record.ts';
import { sameContent } from '../../results/content.ts';
import type { RunCore } from './core.ts';
import type { Resolution } from './resolution.ts';

/** The agent that stands behind what a person decided. */
const person = 'person';

/** The error of a conflict that is not open. */
export function unknownConflict(run: string, conflict: number): TroupeError {
  return new TroupeError('TRP_CONFLICT_UNKNOWN', `Run ${run} has no open conflict ${conflict}.`, {
    place: run,
    hint: `troupe show ${run} --conflicts lists those that are open.`,
  });
}

/**
 * Resolves an open conflict: the value chosen is committed in the name of a person, who has seen everything. What
 * the key has come to hold since the conflict is recorded as dropped. `answer` is called when it is durable.
 */
export function resolveConflict(
  core: RunCore,
  resolution: Resolution,
  answer: (error?: TroupeError) => void = () => undefined,
): void {
  if (core.ledger.state.status === 'ended')
    return answer(new TroupeError('TRP_RUN_ENDED', `Run ${core.run} has ended.`));
  const records = decisionRecords(core, resolution);
  if (!records) return answer(unknownConflict(core.run, resolution.conflict));
  core.ledger.commit(records, () => answer());
}

/** What a decision comes to; undefined: the conflict is not open. */
export function decisionRecords(
  core: RunCore,
  resolution: Resolution,
): readonly RecordBody[] | undefined {
  const { conflict, choice, by } = resolution;
  const open = core.ledger.state.conflicts.open.get(conflict);
  if (!open) return undefined;
  return [
    ...committed(core, resolution, open),
    { type: 'conflict.resolved', conflict, choice, by },
  ];
}

function committed(
  core: RunCore,
  { conflict, choice, value = null }: Resolution,
  { key, base, open }: ConflictRecorded,
): readonly RecordBody[] {
  if (choice === 'theirs' || !open) return [];
  const { memory } = core.ledger;
  const entry = memory.entry(key);
  const change = choice === 'value' ? { key, value } : changeOf(key, open.mine);
  const commit = {
    type: 'memory.committed',
    task: '',
    agent: person,
    op: `${core.run}/conflict/${conflict}`,
    base: memory.revision,
    priority: 10,
    changes: [change],
  } as const;
  const held = entry?.latest;
  if (!held || sameContent(held.value, contentOf(open.theirs))) return [commit];
  const lost: ConflictRecorded = {
    type: 'conflict.recorded',
    key,
    rule: 'manual',
    base,
    theirs: { agent: entry.lastWriter?.agent ?? '', revision: held.revision },
    mine: { agent: person, task: '' },
    dropped: held.value ?? null,
  };
  return [commit, lost];
}

function changeOf(key: string, side: OpenSide): MemoryChange {
  return 'deleted' in side ? { key, deleted: true } : { key, value: side.value };
}

function contentOf(side: OpenSide): Plain | undefined {
  return 'deleted' in side ? undefined : side.value;
}
