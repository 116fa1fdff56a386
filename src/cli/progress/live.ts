// Invariants of the live view:
// 1. `drawn` is the number of lines of ours above the cursor, and the cursor stands at the start of the line below them.
// 2. At most one timer is pending; drawings are at least `leastGapMs` apart and at most `mostGapMs`.
// 3. One drawing is one write, old lines overwritten in place, so that nothing flickers.
// 4. After stop() or leave() nothing is pending, nothing is written and the block stands no longer.

import type { Clock, TimerHandle } from '../../core/clock.ts';
import type { StandingBlock } from '../screen.ts';
import type { ProgressView } from './view.ts';

/** Ten drawings a second at most. */
const leastGapMs = 100;

/** Elapsed times move once a second even when nothing happens. */
const mostGapMs = 1000;

/** Asks terminals that know it to show what lies between only when it is whole; others ignore it. */
const beginWhole = '\u001b[?2026h';
const endWhole = '\u001b[?2026l';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

/** What a live block is drawn from, and where it goes. */
export interface LiveOptions {
  readonly clock: Clock;
  readonly write: (text: string) => void;
  /** The lines as they should stand now; none may be wider than the terminal. */
  readonly lines: () => readonly string[];
  /** Tells whoever else writes to the terminal that the block stands there, until the answer is called. */
  readonly stand?: (block: StandingBlock) => () => void;
}

/** A block of lines at the bottom of a terminal, redrawn in place. */
export class LiveView implements ProgressView, StandingBlock {
  private readonly options: LiveOptions;
  private readonly release: () => void;
  private drawn = 0;
  private body = '';
  private drawnAt = Number.NEGATIVE_INFINITY;
  private timer: TimerHandle;
  private timerAt = Number.POSITIVE_INFINITY;
  private stopped = false;

  constructor(options: LiveOptions) {
    this.options = options;
    this.release = options.stand?.(this) ?? (() => undefined);
    this.drawBy(leastGapMs);
  }

  show(): void {
    this.drawBy(leastGapMs);
  }

  note(text: string): void {
    if (this.stopped) return;
    this.above(() => this.options.write(`${text}\n`));
  }

  /** The block is drawn again as it was, which costs nothing but the writing; new content waits for its time. */
  above(write: () => void): void {
    if (this.stopped) return write();
    this.options.write(`${beginWhole}${this.overOld()}${clearBelow}`);
    write();
    this.options.write(`${this.body}${endWhole}`);
  }

  stop(): void {
    if (this.stopped) return;
    this.release();
    this.draw();
    this.end();
  }

  leave(text: string): void {
    if (this.stopped) return;
    this.release();
    this.options.write(`${this.overOld()}${clearBelow}${text}\n`);
    this.end();
  }

  private end(): void {
    this.cancelTimer();
    this.stopped = true;
  }

  /** Draws once `gapMs` have passed since the last drawing: now, or by a timer. */
  private drawBy(gapMs: number): void {
    const now = this.options.clock.monotonic();
    const due = Math.max(now, this.drawnAt + gapMs);
    if (this.stopped || due >= this.timerAt) return;
    this.cancelTimer();
    if (due <= now) return this.draw();
    this.timerAt = due;
    this.timer = this.options.clock.setTimeout(() => this.draw(), due - now);
  }

  private draw(): void {
    this.cancelTimer();
    if (this.stopped) return;
    const lines = this.options.lines();
    this.body = lines.map((line) => `${line}${clearLine}\n`).join('');
    this.options.write(`${beginWhole}${this.overOld()}${this.body}${clearBelow}${endWhole}`);
    this.drawn = lines.length;
    this.drawnAt = this.options.clock.monotonic();
    this.drawBy(mostGapMs);
  }

  private overOld(): string {
    return this.drawn === 0 ? '\r' : `\u001b[${this.drawn}A\r`;
  }

  private cancelTimer(): void {
    if (this.timer !== undefined) this.options.clock.clearTimeout(this.timer);
    this.timer = undefined;
    this.timerAt = Number.POSITIVE_INFINITY;
  }
}
