import type { ConflictRecorded, MemoryChange, RecordBody } from '../../src/journal/record.ts';
import { decideCommit } from '../../src/memory/propose.ts';
import type { MemoryRules, Proposal } from '../../src/memory/propose.ts';
import { RunMemory } from '../../src/memory/run-memory.ts';
import type { MergerName } from '../../src/workflow/model.ts';

/** Rules under which everybody may write everything. */
export function openRules(merger: MergerName): MemoryRules {
  return { ownerOf: () => undefined, allowed: () => true, mergerOf: () => merger };
}

/** A proposal with defaults: the operation is the task's name. */
export function proposalOf(
  task: string,
  changes: readonly MemoryChange[],
  more: Partial<Proposal> = {},
): Proposal {
  return { task, agent: `agent-${task}`, op: `op-${task}`, base: 0, priority: 5, changes, ...more };
}

/** A run's memory with its journal: what is decided is appended and applied. */
export class Desk {
  readonly memory = new RunMemory();
  readonly journal: (RecordBody & { seq: number; at: number })[] = [];
  private readonly rules: MemoryRules;

  constructor(rules: MemoryRules) {
    this.rules = rules;
  }

  /** Decides and applies; gives the conflicts that were recorded. Throws a refusal. */
  submit(proposal: Proposal): readonly ConflictRecorded[] {
    const decision = decideCommit(this.memory, proposal, this.rules);
    if ('refused' in decision) throw decision.refused;
    for (const body of decision.records) {
      const record = { ...body, seq: this.journal.length + 1, at: 0 };
      this.journal.push(record);
      if (record.type === 'memory.committed') this.memory.apply(record);
    }
    return decision.records.filter(
      (body): body is ConflictRecorded => body.type === 'conflict.recorded',
    );
  }

  /** The memory that a resume would have. */
  refolded(): RunMemory {
    const memory = new RunMemory();
    for (const record of structuredClone(this.journal))
      if (record.type === 'memory.committed') memory.apply(record);
    return memory;
  }
}
