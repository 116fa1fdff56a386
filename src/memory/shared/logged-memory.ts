import type { Bus } from '../../bus/bus.ts';
import type { EventLog, Following } from '../../bus/event-log.ts';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { ErrorCode, ErrorInfo } from '../../core/errors.ts';
import type { Ids } from '../../core/ids.ts';
import { toPlain } from '../../core/plain.ts';
import type { Plain } from '../../core/plain.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { Random } from '../../core/random.ts';
import type { MemoryChange } from '../../journal/record.ts';
import type { Proposal } from '../propose.ts';
import type { MemoryReader } from '../view.ts';
import { pause } from '../../bus/fenced-append.ts';
import type { Committed } from './committed.ts';
import { MemoryOwner } from './memory-owner.ts';
import type { Decided } from './proposal-answer.ts';
import { checkedProposal } from './proposal-check.ts';
import { ProposalSender } from './proposal-sender.ts';
import { Reached } from './reached.ts';
import { Replica } from './replica.ts';
import type { Changeset, Computation, ProposeOptions, SharedMemory } from './shared-memory.ts';
import type { SharedRules } from './shared-rules.ts';
import { Watchers } from './watchers.ts';
import type { MemoryWatch, MemoryWatcher } from './watchers.ts';

/** What a {@link LoggedMemory} is made from. */
export interface LoggedMemoryOptions {
  readonly bus: Bus;
  /** For people. */
  readonly name: string;
  /** Name of the log, and of the subject that the owner listens to. */
  readonly memory: string;
  /** Unlike that of any other opening. */
  readonly node: string;
  /** Default: `node`. */
  readonly agent: string | undefined;
  /** Rules of a memory that has none yet; undefined: this opening never owns the memory. */
  readonly rules: SharedRules | undefined;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

/** A name for an opening. Operation ids begin with it, so it is unlike any other ever: 64 bits of chance. */
export function openingName(ids: Ids): string {
  return `${ids.node()}.${ids.node()}`;
}

const defaultTimeoutMs = 30_000;

/** Openings that find the owner gone wait up to this long before they take its place, so that one is first. */
const candidacyMs = 60;

/**
 * A memory seen through its log, from one process.
 *
 * Invariants:
 * 1. Views show what the replica has taken from the log, whole changesets, and nothing that is only on its way.
 * 2. A proposal resolves after its changeset is in the replica, so later views include it.
 * 3. At most one attempt to become the owner is under way, and none after `close`.
 * 4. After an entry of the log that it cannot read it proposes nothing, and its views stay where they are.
 */
export class LoggedMemory implements SharedMemory {
  readonly name: string;
  private readonly options: LoggedMemoryOptions;
  private readonly replica: Replica;
  private readonly watchers: Watchers;
  private readonly sender: ProposalSender;
  private readonly reached = new Reached();
  /** By epoch. */
  private readonly begun = new Reached();
  private readonly ending = new AbortController();
  private readonly random: Random;
  private log: EventLog | undefined;
  private following: Following | undefined;
  private owner: MemoryOwner | undefined;
  private candidacy: Promise<void> | undefined;
  private operations = 0;
  private failure: TroupeError | undefined;

  constructor(options: LoggedMemoryOptions) {
    const { bus, memory, node, clock } = options;
    this.name = options.name;
    this.options = options;
    this.random = seededRandom(seedOf(node));
    this.watchers = new Watchers(options.onFault);
    this.replica = new Replica({
      committed: ({ record, conflicts }) => {
        const { op, seq: revision, changes } = record;
        this.watchers.committed(this.replica.memory, record);
        this.sender.settle(op, { revision, changes, conflicts });
        this.reached.at(revision);
      },
      leased: ({ epoch }) => {
        this.owner?.supersededBy(epoch);
        this.sender.ownerChanged();
        this.begun.at(epoch);
      },
    });
    this.sender = new ProposalSender({
      bus,
      memory,
      patience: { clock, signal: this.ending.signal },
      random: this.random,
      ownerless: () => this.stand(candidacyMs),
    });
  }

  get revision(): number {
    return this.replica.memory.revision;
  }

  get owning(): boolean {
    return this.owner !== undefined;
  }

  /** For errors. */
  private get place(): string {
    return `memory ${this.name}`;
  }

  /** What the memory's log says of its keys; undefined: nothing yet. */
  get rules(): SharedRules | undefined {
    return this.replica.rules;
  }

  /** Follows the log until all of it is here. A new memory gets its first owner. */
  async open(): Promise<void> {
    const { bus, memory, onFault } = this.options;
    const log = await bus.log('jrn', memory);
    this.log = log;
    await new Promise<void>((resolve, reject) => {
      const take = (entry: Parameters<Replica['take']>[0]): void => {
        try {
          this.replica.take(entry);
        } catch (error) {
          onFault(error);
          this.fail(error as TroupeError);
          reject(error as Error);
        }
      };
      log.follow(take, { caughtUp: resolve }).then((following) => {
        this.following = following;
        if (this.ending.signal.aborted) following.stop();
      }, reject);
    });
    if (this.replica.epoch > 0 || !this.options.rules) return;
    await this.stand(0);
    // Whoever was first, its rules hold; they are known when its epoch has come here.
    if (this.replica.epoch > 0) return;
    const begun = this.begun.revision(1);
    begun.catch(() => undefined);
    if ((await log.lastSeq()) > 0) await this.within(defaultTimeoutMs, begun);
  }

  view(): MemoryReader {
    return this.replica.memory.view();
  }

  hash(key: string, revision?: number): string | undefined {
    return this.replica.memory.keyHash(key, revision);
  }

  async propose(changes: Changeset, options: ProposeOptions = {}): Promise<Committed> {
    this.assertOpen();
    const { clock } = this.options;
    const proposal = this.proposal(changes, options);
    const { timeoutMs = defaultTimeoutMs } = options;
    const due = clock.monotonic() + timeoutMs;
    const answer = await this.sender.send(proposal, timeoutMs);
    if ('refused' in answer) throw refusedError(answer.refused, this.place);
    if (answer.revision > this.revision)
      await this.within(due - clock.monotonic(), this.reached.revision(answer.revision));
    return this.committed(proposal, answer);
  }

  async update(
    keys: readonly string[],
    compute: Computation,
    options: Omit<ProposeOptions, 'base' | 'op'> = {},
  ): Promise<Committed> {
    const { clock } = this.options;
    const due = clock.monotonic() + (options.timeoutMs ?? defaultTimeoutMs);
    for (;;) {
      const view = this.view();
      const changes = compute(Object.fromEntries(keys.map((key) => [key, view.get(key)])));
      const timeoutMs = Math.max(1, due - clock.monotonic());
      try {
        return await this.propose(changes, { ...options, base: view.revision, timeoutMs });
      } catch (error) {
        if (!isRejected(error) || clock.monotonic() >= due) throw error;
        await this.pastConflict(view.revision, due);
      }
    }
  }

  watch(pattern: string, watcher: MemoryWatcher): MemoryWatch {
    this.assertOpen();
    return this.watchers.add(pattern, watcher, this.view());
  }

  async close(): Promise<void> {
    if (this.ending.signal.aborted) return;
    this.ending.abort();
    await this.owner?.close();
    this.following?.stop();
    const closed = new TroupeError('TRP_CLOSED', `The memory ${this.name} has been closed.`);
    this.sender.end(closed);
    this.reached.end(closed);
  }

  /** The values come from the copy here, which has made them by itself. */
  private committed({ changes }: Proposal, { revision, conflicts }: Decided): Committed {
    const view = this.replica.memory.view(revision);
    const keys = [...new Set(changes.map(({ key }) => key))];
    return {
      revision,
      conflicts,
      get changes() {
        return keys.map((key) => changeTo(key, view.get(key)));
      },
    };
  }

  /** Checked before it goes out in one request with those of others. */
  private proposal(changes: Changeset, options: ProposeOptions): Proposal {
    const { node } = this.options;
    const { agent = this.options.agent ?? node, base = this.revision, priority = 5 } = options;
    const { task = agent, op = `${node}:${++this.operations}` } = options;
    const list = changesOf(changes);
    const made = { task, agent, op, base, priority, changes: list };
    return checkedProposal(made as unknown as Plain, this.place);
  }

  /** Tries to become the owner, unless somebody else is faster. */
  private stand(withinMs: number): Promise<void> {
    if (this.owner || this.ending.signal.aborted || !this.options.rules) return Promise.resolve();
    this.candidacy ??= this.takeOver(withinMs).finally(() => {
      this.candidacy = undefined;
    });
    return this.candidacy;
  }

  private async takeOver(withinMs: number): Promise<void> {
    const { bus, memory, node, clock, rules, onFault } = this.options;
    const patience = { clock, signal: this.ending.signal };
    const { epoch } = this.replica;
    if (withinMs > 0) await pause(patience, withinMs * this.random());
    if (this.replica.epoch !== epoch || !this.log || !rules) return;
    try {
      const owner = await MemoryOwner.takeOver({
        bus,
        log: this.log,
        memory,
        node,
        rules,
        patience,
        onEnded: (error) => {
          this.owner = undefined;
          if (!this.ending.signal.aborted) onFault(error);
        },
      });
      this.owner = owner;
      if (this.ending.signal.aborted) await owner.close();
      else owner.supersededBy(this.replica.epoch);
    } catch (error) {
      if (!isFenced(error)) onFault(error);
    }
  }

  /** A write came between: its changeset is awaited here, so that the next view shows it. */
  private async pastConflict(revision: number, due: number): Promise<void> {
    if (this.revision > revision) return;
    const left = due - this.options.clock.monotonic();
    await this.within(left, this.reached.revision(revision + 1));
  }

  /** Rejects with TRP_BUS_TIMEOUT when the log does not bring in time what is awaited. */
  private within(leftMs: number, awaited: Promise<void>): Promise<void> {
    const { clock, memory } = this.options;
    return new Promise((resolve, reject) => {
      const late = new TroupeError('TRP_BUS_TIMEOUT', `The log of ${memory} has not come so far.`, {
        errorClass: 'timeout',
      });
      const timer = clock.setTimeout(() => reject(late), Math.max(1, leftMs));
      awaited.then(resolve, reject).finally(() => clock.clearTimeout(timer));
    });
  }

  /** The log holds what cannot be read here: nobody may take what came before it for all there is. */
  private fail(error: TroupeError): void {
    this.failure ??= error;
    this.following?.stop();
    void this.owner?.close();
    this.sender.end(error);
    this.reached.end(error);
    this.begun.end(error);
  }

  private assertOpen(): void {
    if (this.failure) throw this.failure;
    if (this.ending.signal.aborted)
      throw new TroupeError('TRP_CLOSED', `The memory ${this.name} has been closed.`);
  }
}

function changesOf(changes: Changeset): readonly MemoryChange[] {
  return Object.entries(changes).map(([key, value]) =>
    changeTo(key, value === undefined ? value : toPlain(value, `the value of ${key}`)),
  );
}

function changeTo(key: string, value: Plain | undefined): MemoryChange {
  return value === undefined ? { key, deleted: true } : { key, value };
}

/** Next steps where the codes speak of a workflow. */
const hints: { readonly [code in ErrorCode]?: string } = {
  TRP_MEMORY_REJECTED:
    'Read the key again and propose against that view, or use update(), which does so. An `agent` given when opening names the writer.',
  TRP_MEMORY_NOT_OWNER: 'Write as the agent that owns the key ({ agent }), or write another key.',
};

function refusedError({ code, message, hint }: ErrorInfo, place: string): TroupeError {
  const next = hints[code] ?? hint;
  return new TroupeError(code, message, { place, ...(next === undefined ? {} : { hint: next }) });
}

function isRejected(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TRP_MEMORY_REJECTED';
}

function isFenced(error: unknown): boolean {
  return error instanceof TroupeError && error.code === 'TRP_JOURNAL_FENCED';
}
