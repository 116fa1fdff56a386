import type { Bus } from '../../bus/bus.ts';
import type { EventLog } from '../../bus/event-log.ts';
import { TroupeError } from '../../core/errors.ts';
import { appendSurely } from '../../bus/fenced-append.ts';
import type { Patience } from '../../bus/fenced-append.ts';
import { BusCommitLog } from './bus-commit-log.ts';
import { framePayload } from './frame.ts';
import { MemoryService } from './memory-service.ts';
import type { Decided } from './proposal-answer.ts';
import { Replica } from './replica.ts';
import { Door } from './door.ts';
import { serveProposals } from './serve.ts';
import { memoryRules } from './shared-rules.ts';
import type { SharedRules } from './shared-rules.ts';

/** What an owner is made from. */
export interface MemoryOwnerOptions {
  readonly bus: Bus;
  readonly log: EventLog;
  /** Name of the memory on the bus. */
  readonly memory: string;
  /** Name of this owner, unlike any other's. */
  readonly node: string;
  /** For a memory that has no owner yet; otherwise those of its log hold. */
  readonly rules: SharedRules;
  readonly patience: Patience;
  /** Called once, when it owns the memory no longer. */
  readonly onEnded: (error: TroupeError) => void;
}

/**
 * The owner of a memory of its own. Its lifecycle: `taking over` (inside {@link takeOver}), `serving`, and
 * then `ended`, for good: fenced by the next owner, by an error that no repetition mends, or by `close`. It is
 * a plain class and no machine since this folder lies below the actors.
 *
 * Invariants:
 * 1. It answers a proposal only after its append at the expected sequence number was acknowledged, so of two
 *    owners that both take themselves for one, at most one answers.
 * 2. What it knows follows from the log alone, so the next owner knows the same.
 */
export class MemoryOwner {
  readonly epoch: number;
  private readonly log: BusCommitLog;
  private readonly door: Door;
  private readonly onEnded: (error: TroupeError) => void;
  private ended = false;

  private constructor(options: MemoryOwnerOptions, { past, door, logSeq }: Start) {
    const { log, node, patience } = options;
    const { replica, answers } = past;
    this.onEnded = options.onEnded;
    this.epoch = replica.epoch + 1;
    this.door = door;
    this.log = new BusCommitLog({
      log,
      memory: replica.memory,
      position: { epoch: this.epoch, logSeq, recordSeq: replica.recordSeq + 1 },
      owner: `${node}:${this.epoch}`,
      patience,
      onLost: (error) => this.end(error),
    });
    const rules = memoryRules(replica.rules ?? options.rules);
    door.open(new MemoryService(this.log, rules, answers));
  }

  /**
   * Reads the log, appends its own epoch to it and begins to serve. It listens from the start, so that at no time
   * proposals find nobody there and call for still another owner.
   * Rejects with TRP_JOURNAL_FENCED when somebody else was faster.
   */
  static async takeOver(options: MemoryOwnerOptions): Promise<MemoryOwner> {
    const { bus, log, memory, node, patience, rules } = options;
    const door = new Door((desk) => serveProposals(bus, memory, desk));
    try {
      const past = await readPast(log);
      const { replica } = past;
      const epoch = replica.epoch + 1;
      const lease = { type: 'lease.taken', epoch, node } as const;
      const record = { ...lease, seq: replica.recordSeq + 1, at: patience.clock.now() };
      const logSeq = await appendSurely(log, patience, {
        payload: framePayload({ epoch, records: [record], rules: replica.rules ?? rules }),
        expectedSeq: replica.logSeq,
        op: `${node}:${epoch}:0`,
        epoch,
      });
      return new MemoryOwner(options, { past, door, logSeq });
    } catch (error) {
      door.close(error);
      throw error;
    }
  }

  /** An owner with this epoch has begun. */
  supersededBy(epoch: number): void {
    if (epoch <= this.epoch) return;
    this.end(new TroupeError('TRP_JOURNAL_FENCED', `The memory has a new owner, epoch ${epoch}.`));
  }

  /** Answers what it has begun to commit, and no more. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.door.shut();
    await this.log.settled();
    this.end(new TroupeError('TRP_CLOSED', 'The owner of the memory has been closed.'));
  }

  private end(error: TroupeError): void {
    if (this.ended) return;
    this.ended = true;
    this.door.close(error);
    this.log.end(error);
    this.onEnded(error);
  }
}

/** What taking over has come to. */
interface Start {
  readonly past: Past;
  readonly door: Door;
  readonly logSeq: number;
}

interface Past {
  readonly replica: Replica;
  readonly answers: Map<string, Decided>;
}

async function readPast(log: EventLog): Promise<Past> {
  const answers = new Map<string, Decided>();
  const replica = new Replica({
    committed: ({ record: { op, seq: revision, changes }, conflicts }) =>
      void answers.set(op, { revision, changes, conflicts }),
  });
  for await (const entry of log.read()) replica.take(entry);
  return { replica, answers };
}
