import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

/** One step of ending a process. */
export interface ShutdownPhase {
  /** For people: what is being done, such as `stop taking runs`. */
  readonly name: string;
  /** After this long the next phase begins all the same, in milliseconds. */
  readonly timeoutMs: number;
  run(): Promise<void> | void;
}

/** What a shutdown is made from. */
export interface ShutdownOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** In this order. */
  readonly phases: readonly ShutdownPhase[];
}

/**
 * The ordered end of a process that serves others: first nothing new is taken, then what is at work is finished or
 * handed over, then connections close.
 *
 * Invariants:
 * 1. Phases run one after the other, each once, however often the end is asked for.
 * 2. Neither an error nor a phase that hangs keeps the later ones from running.
 */
export class Shutdown {
  private readonly options: ShutdownOptions;
  private ending: Promise<void> | undefined;

  constructor(options: ShutdownOptions) {
    this.options = options;
  }

  /** Whether the end has begun: what serves takes nothing any more. */
  get hasBegun(): boolean {
    return this.ending !== undefined;
  }

  /** Resolves when all phases are over. */
  begin(): Promise<void> {
    this.ending ??= this.run();
    return this.ending;
  }

  private async run(): Promise<void> {
    const { logger, phases } = this.options;
    for (const phase of phases) {
      logger.info('shutting down', { phase: phase.name });
      try {
        if (!(await this.within(phase)))
          logger.warn('a phase of the shutdown took too long', { phase: phase.name });
      } catch (error) {
        const message = messageOf(error);
        logger.error('a phase of the shutdown failed', { phase: phase.name, message });
      }
    }
  }

  /** False: its time was over first. */
  private within(phase: ShutdownPhase): Promise<boolean> {
    const { clock } = this.options;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => resolve(false), phase.timeoutMs);
      Promise.resolve()
        .then(() => phase.run())
        .then(() => resolve(true), reject)
        .finally(() => clock.clearTimeout(timer));
    });
  }
}
