import type {
  AttemptRequest,
  AttemptSettlement,
  CallPort,
  Progress,
} from '../../actors/behaviours/behaviour.ts';
import type { AttemptClient } from '../../actors/pool.ts';
import { workProtocol } from '../../actors/remote/messages.ts';
import { labelOf } from '../../actors/remote/label.ts';
import type { Assignment, HostMessage } from '../../actors/remote/messages.ts';
import type { Label } from '../../actors/remote/label.ts';
import type { Clock } from '../../core/clock.ts';
import { errorInfo, messageOf } from '../../core/errors.ts';
import type { Secrets } from '../../core/redaction.ts';
import type { Logger } from '../../core/log.ts';
import type { Plain } from '../../core/plain.ts';
import type { ProviderGate } from '../../actors/provider-gate.ts';
import type { ProviderCall } from '../../actors/behaviours/behaviour.ts';
import { CopiedMemory } from './copied-memory.ts';
import { HostCalls } from './host-calls.ts';
import type { Outlet, Outlets } from './outlet.ts';

/** Progress of one attempt is passed on so often at most, in milliseconds. */
const progressGapMs = 200;

/** Its result is stored or unwanted; its owner has it again; or nobody could be told. */
export type HowDone = 'over' | 'handed back' | 'undone';

/** What one attempt on this host is made from. */
export interface HostAttemptParts {
  readonly host: string;
  readonly assignment: Assignment;
  readonly outlets: Outlets;
  /** Where its result and its steps go. */
  readonly outlet: Outlet;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What nobody is told. */
  readonly secrets: Secrets;
  readonly gate: (call: ProviderCall) => ProviderGate;
  /** This host has done its part. */
  readonly done: (how: HowDone) => void;
  /** Its work has ended, well or with an error. */
  readonly ended: (error: string | undefined) => void;
}

/**
 * One attempt that this host carries out for the owner of a run.
 *
 * Invariants:
 * 1. What it leaves is told under the label that it has then: an owner who takes the run over may give it another.
 * 2. `done` is called once, after the result is stored, was refused, or is to be made by somebody else.
 */
export class HostAttempt implements AttemptClient {
  label: Label;
  /** Set: its end is no result; who had it begun is told that somebody else has to do it. */
  handsBack = false;
  /** Set: nobody waits for its end. */
  isUnwanted = false;
  private readonly parts: HostAttemptParts;
  /** Its work is over; what it leaves may still be on the way. */
  hasEnded = false;
  private ownCalls: HostCalls | undefined;
  private progressedAt = -Infinity;

  constructor(parts: HostAttemptParts) {
    this.parts = parts;
    this.label = labelOf(parts.assignment);
  }

  /** Time that it has to end after it was asked to, in milliseconds. */
  get killAfterMs(): number {
    return this.parts.assignment.request.agent.limits.killAfterMs;
  }

  get calls(): CallPort {
    this.ownCalls ??= this.makeCalls();
    return this.ownCalls;
  }

  /** What a behaviour is given. @param steps those that the run's owner has told of besides */
  request(baseDir: string, steps: { readonly [name: string]: Plain } = {}): AttemptRequest {
    const { request, memory } = this.parts.assignment;
    return {
      ...request,
      task: this.label.task,
      baseDir,
      steps: { ...request.steps, ...steps },
      memory: new CopiedMemory(memory),
    };
  }

  settled(settlement: AttemptSettlement): void {
    const { ownCalls } = this;
    this.hasEnded = true;
    const error = settlement.status === 'failed' ? settlement.error.message : undefined;
    this.parts.ended(this.parts.secrets.redact(error));
    const spent = ownCalls?.spending;
    ownCalls?.close();
    if (this.isUnwanted) return this.parts.done('over');
    if (this.handsBack && settlement.status === 'failed') return void this.handBack();
    void this.leave(settlement, spent && { spent });
  }

  progressed(progress: Progress): void {
    const now = this.parts.clock.monotonic();
    if (now - this.progressedAt < progressGapMs) return;
    this.progressedAt = now;
    this.parts.outlets.mention(this.message({ type: 'progress', progress }));
  }

  async stepDone(name: string, value: Plain): Promise<void> {
    await this.parts.outlet(this.message({ type: 'step', name, value }));
  }

  private async leave(settlement: AttemptSettlement, spent: object | undefined): Promise<void> {
    const { outlet, logger } = this.parts;
    const end =
      settlement.status === 'succeeded'
        ? { type: 'result' as const, ...settlement.result }
        : { type: 'failure' as const, error: settlement.error };
    try {
      await this.store(outlet, { ...end, ...spent });
    } catch (error) {
      logger.error('the end of an attempt could not be told', {
        task: this.label.task,
        message: messageOf(error),
      });
      return this.parts.done('undone');
    }
    this.parts.done('over');
  }

  /** A result that no bus takes is a failure that says why. */
  private async store(outlet: Outlet, end: Said): Promise<void> {
    try {
      await outlet(this.message(end));
    } catch (error) {
      if (end.type === 'failure') throw error;
      await outlet(this.message({ type: 'failure', error: errorInfo(error) }));
    }
  }

  private async handBack(): Promise<void> {
    const { outlets, logger } = this.parts;
    try {
      const isTaken = await outlets.ask(this.message({ type: 'handed_back' }));
      return this.parts.done(isTaken === true ? 'handed back' : 'over');
    } catch (error) {
      // Its owner finds out by the silence of this host.
      logger.debug('not told that an attempt is handed back', { message: messageOf(error) });
    }
    this.parts.done('undone');
  }

  private message(said: Said): HostMessage {
    const { host, secrets } = this.parts;
    const open = { ...secrets.redact(said), type: said.type } as Said;
    return { protocol: workProtocol, host, ...this.label, ...open };
  }

  private makeCalls(): HostCalls {
    const { clock, assignment, outlets, gate } = this.parts;
    return new HostCalls({
      clock,
      gate,
      priority: priorityOf[assignment.level],
      spent: (spent) => outlets.mention(this.message({ type: 'spent', spent: { ...spent } })),
    });
  }
}

/** The middle of each level. */
const priorityOf = { p0: 10, p1: 8, p2: 5, p3: 2 } as const;

/** A message without who says it about what. */
type Said = HostMessage extends infer Message
  ? Message extends HostMessage
    ? Omit<Message, keyof Label | 'protocol' | 'host'>
    : never
  : never;
