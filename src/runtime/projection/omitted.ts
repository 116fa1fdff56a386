import { encode } from '../../bus/codec.ts';
import { encodedBound } from '../../bus/payload.ts';
import type { Plain } from '../../core/plain.ts';
import type { MemoryChange } from '../../journal/record.ts';
import { maxCommitBytes } from '../../memory/shared/frame.ts';
import type { MemoryRecord } from '../../memory/shared/frame.ts';

/** Stands on the bus for a value that no message can hold. The journal has the value, whatever its size. */
export const omitted: Plain = Object.freeze({ $omitted: 'too large for a message' });

/** Values up to these sizes, encoded, stay in a record that is too large; the first that makes it fit counts. */
const keptBytes = [262_144, 65_536, 16_384, 4_096, 1_024, 0];

/** A record as a message can hold it: as it is, or without its largest values. */
export function withinMessage(record: MemoryRecord): MemoryRecord {
  let fitting = record;
  for (const most of keptBytes) {
    if (fits(fitting)) return fitting;
    fitting = without(record, most);
  }
  return fitting;
}

function fits(record: MemoryRecord): boolean {
  const plain = record as unknown as Plain;
  return encodedBound(plain) <= maxCommitBytes || encode(plain).length <= maxCommitBytes;
}

function without(record: MemoryRecord, most: number): MemoryRecord {
  const short = (value: Plain): Plain => (encodedBound(value) > most ? omitted : value);
  const shortened = (change: MemoryChange): MemoryChange =>
    'deleted' in change ? change : { key: change.key, value: short(change.value) };
  if (record.type === 'memory.committed') {
    const { changes, proposed } = record;
    return {
      ...record,
      changes: changes.map(shortened),
      ...(proposed && { proposed: proposed.map(shortened) }),
    };
  }
  if (record.type !== 'conflict.recorded') return record;
  const { open, ...rest } = record;
  return { ...rest, dropped: short(record.dropped), ...(open && most > 1_024 && { open }) };
}
