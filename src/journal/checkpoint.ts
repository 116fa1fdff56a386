import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import type { Plain } from '../core/plain.ts';
import { apply } from './fold.ts';
import { recordFormat } from './record.ts';
import type { JournalRecord, RunStarted } from './record.ts';
import { emptyRunState, groupRow, taskRow } from './run-state.ts';
import type { RunState, TaskRow } from './run-state.ts';
import { columnsOf, idsIn, refill } from './row-columns.ts';
import type { Columns } from './row-columns.ts';

/**
 * A fold of a journal up to some record, from which another fold goes on. It is a copy of what follows from the journal
 * and nothing else: whoever cannot read it folds from the first record.
 */
export interface Checkpoint {
  /** The first record, which says what the run is. */
  readonly start: RunStarted;
  /** The state after record `state.seq`. */
  readonly state: RunState;
  /** The records that memory is the fold of, and the conflicts among them. */
  readonly memory: readonly JournalRecord[];
}

/** Raised when an applier comes to mean something else without changing the state's shape. */
const foldVersion = 2;

/** Larger ones are not kept: reading them is no faster than the journal. */
export const maxCheckpointBytes = 32 * 1024 * 1024;

const signature = 'TRPCKPT2';
const headBytes = 16;

const taskKeys = Object.keys(taskRow(emptyRunState(), ''));
const groupKeys = Object.keys(groupRow(emptyRunState(), ''));

/** Every place of a state and its rows by name: whoever has others folds otherwise. */
const shape = crc32(
  JSON.stringify([foldVersion, recordFormat, Object.keys(emptyRunState()), taskKeys, groupKeys]),
);

/** Checkpoint as bytes: signature, shape of the state (u32), CRC-32 (u32), the parts. Costs about half a microsecond per task. */
export function encodeCheckpoint({ start, state, memory }: Checkpoint): Uint8Array {
  const { tasks, groups, ...rest } = state;
  const body = serialize({
    start,
    rest,
    tasks: columnsOf([...tasks.values()], taskKeys),
    groups: columnsOf([...groups.values()], groupKeys),
    memory,
  });
  const bytes = Buffer.allocUnsafe(headBytes + body.length);
  bytes.write(signature, 'latin1');
  bytes.writeUInt32BE(shape, 8);
  bytes.writeUInt32BE(crc32(body, shape), 12);
  body.copy(bytes, headBytes);
  return bytes;
}

/** The checkpoint in some bytes; undefined when they are damaged, or of a version that folds otherwise. */
export function decodeCheckpoint(bytes: Buffer): Checkpoint | undefined {
  if (bytes.length <= headBytes || bytes.toString('latin1', 0, 8) !== signature) return undefined;
  const body = bytes.subarray(headBytes);
  if (bytes.readUInt32BE(8) !== shape || bytes.readUInt32BE(12) !== crc32(body, shape))
    return undefined;
  try {
    return restored(deserialize(body) as Parts);
  } catch {
    return undefined;
  }
}

/** Whether a record belongs to what memory is the fold of. */
export function isOfMemory({ type }: JournalRecord): boolean {
  return type === 'memory.committed' || type === 'conflict.recorded';
}

/** A fold that goes on from a checkpoint, which is used up by it; without one, from the first record. */
export function foldFrom(
  checkpoint: Checkpoint | undefined,
  records: Iterable<JournalRecord>,
): RunState {
  const state = checkpoint?.state ?? emptyRunState();
  for (const record of records) apply(state, record);
  return state;
}

interface Parts {
  readonly start: RunStarted;
  readonly rest: Omit<RunState, 'tasks' | 'groups'>;
  readonly tasks: Columns;
  readonly groups: Columns;
  readonly memory: readonly JournalRecord[];
}

function restored({ start, rest, tasks, groups, memory }: Parts): Checkpoint {
  const state: RunState = Object.assign(emptyRunState(), rest);
  const rows = idsIn(tasks).map((id) => taskRow(state, id));
  refill(rows, tasks, taskKeys);
  for (const row of rows) if (row.steps) row.steps = withoutPrototype(row.steps);
  refill(
    idsIn(groups).map((id) => groupRow(state, id)),
    groups,
    groupKeys,
  );
  return { start, state, memory };
}

/** Steps are named by those who write them, so they must not meet what every object has. */
function withoutPrototype(steps: NonNullable<TaskRow['steps']>): TaskRow['steps'] {
  return Object.assign(Object.create(null) as Record<string, Plain>, steps);
}
