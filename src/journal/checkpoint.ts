import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';
import { apply } from './fold.ts';
import { recordFormat } from './record.ts';
import type { JournalRecord, RunStarted } from './record.ts';
import { emptyRunState, groupRow, taskRow } from './run-state.ts';
import type { RunState, TaskRow } from './run-state.ts';

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
const foldVersion = 1;

/** Larger ones are not kept: reading them is no faster than the journal. */
export const maxCheckpointBytes = 32 * 1024 * 1024;

const signature = 'TRPCKPT1';
const headBytes = 16;

const taskKeys = Object.keys(taskRow(emptyRunState(), ''));
const groupKeys = Object.keys(groupRow(emptyRunState(), ''));

/** Every place of a state and its rows by name: whoever has others folds otherwise. */
const shape = crc32(
  JSON.stringify([foldVersion, recordFormat, Object.keys(emptyRunState()), taskKeys, groupKeys]),
);

/** Checkpoint as bytes: signature, shape of the state (u32), CRC-32 (u32), the parts. Costs about 2 us per task. */
export function encodeCheckpoint({ start, state, memory }: Checkpoint): Uint8Array {
  const { tasks, groups, ...rest } = state;
  const body = serialize({
    start,
    rest,
    tasks: [...tasks.values()].map((row) => packed(row, taskKeys)),
    groups: [...groups.values()].map((row) => packed(row, groupKeys)),
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

/**
 * The first record of a run.
 * @throws TroupeError TRP_JOURNAL_CORRUPT when it is another one
 */
export function startIn(records: readonly JournalRecord[]): RunStarted {
  const [first] = records;
  if (first?.type === 'run.started') return first;
  throw new TroupeError('TRP_JOURNAL_CORRUPT', 'The journal does not begin with the start.');
}

/** What a run began with, and the document that it has gone on with since. */
export function startWith(start: RunStarted, records: readonly JournalRecord[]): RunStarted {
  const migrated = records.findLast((record) => record.type === 'workflow.migrated');
  if (migrated?.type !== 'workflow.migrated') return start;
  return { ...start, workflow: migrated.workflow, source: migrated.source };
}

interface Parts {
  readonly start: RunStarted;
  readonly rest: Omit<RunState, 'tasks' | 'groups'>;
  readonly tasks: readonly (readonly unknown[])[];
  readonly groups: readonly (readonly unknown[])[];
  readonly memory: readonly JournalRecord[];
}

function restored({ start, rest, tasks, groups, memory }: Parts): Checkpoint {
  const state: RunState = Object.assign(emptyRunState(), rest);
  for (const values of tasks) {
    const row = refilled(taskRow(state, values[0] as string), taskKeys, values);
    row.steps = withoutPrototype(row.steps);
  }
  for (const values of groups) refilled(groupRow(state, values[0] as string), groupKeys, values);
  return { start, state, memory };
}

/** The places of a row in the order of their names, which stand once in the shape; then what it has besides. */
function packed(row: object, keys: readonly string[]): unknown[] {
  const places = row as Readonly<Record<string, unknown>>;
  const values = keys.map((key) => places[key]);
  const own = Object.keys(row);
  const others = own.length === keys.length ? [] : own.filter((key) => !keys.includes(key));
  if (others.length > 0) values.push(Object.fromEntries(others.map((key) => [key, places[key]])));
  return values;
}

function refilled<Row extends object>(
  row: Row,
  keys: readonly string[],
  values: readonly unknown[],
): Row {
  for (const [index, key] of keys.entries()) (row as Record<string, unknown>)[key] = values[index];
  return Object.assign(row, values[keys.length]);
}

/** Steps are named by those who write them, so they must not meet what every object has. */
function withoutPrototype(steps: TaskRow['steps']): TaskRow['steps'] {
  if (!steps) return undefined;
  return Object.assign(Object.create(null) as Record<string, Plain>, steps);
}
