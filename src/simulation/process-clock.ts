import type { Clock, TimerHandle } from '../core/clock.ts';
import type { SimulatedClock } from '../core/simulated-clock.ts';

/** How the clock of one process differs from the time of the world. */
export interface ClockDrift {
  /** Seconds of the process to a second of the world. Default 1. */
  readonly rate?: number;
  /** How far its wall time is ahead of the world's, in milliseconds. Default 0. */
  readonly offsetMs?: number;
}

interface ProcessTimer {
  handle: TimerHandle;
}

/**
 * The clock of one simulated process: its own wall time and pace over the one heap of the world. It is also
 * the process's pulse: what is due while it is paused waits, and once it has died nothing of it happens.
 *
 * Invariants:
 * 1. Everything that wakes the process goes through {@link deliver} or a timer of this clock.
 * 2. What waited during a pause happens after it in the order in which it was due.
 */
export class ProcessClock implements Clock {
  /** Timers that are armed. */
  private readonly armed = new Set<ProcessTimer>();
  private readonly world: SimulatedClock;
  private readonly rate: number;
  private readonly originMs: number;
  private offsetMs: number;
  private held: (() => void)[] = [];
  private paused = false;
  private dead = false;

  constructor(world: SimulatedClock, { rate = 1, offsetMs = 0 }: ClockDrift = {}) {
    this.world = world;
    this.rate = rate;
    this.offsetMs = offsetMs;
    this.originMs = world.now();
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.armed.size;
  }

  get isAlive(): boolean {
    return !this.dead;
  }

  now(): number {
    return Math.floor(
      this.originMs + (this.world.now() - this.originMs) * this.rate + this.offsetMs,
    );
  }

  monotonic(): number {
    return (this.world.now() - this.originMs) * this.rate;
  }

  setTimeout(fn: () => void, delayMs: number): TimerHandle {
    const timer: ProcessTimer = { handle: undefined };
    this.armed.add(timer);
    const fire = (): void => {
      // Cancelled while the process stood still.
      if (this.armed.delete(timer)) fn();
    };
    timer.handle = this.world.setTimeout(
      () => this.deliver(fire),
      Math.max(0, delayMs) / this.rate,
    );
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    if (!this.armed.delete(handle as ProcessTimer)) return;
    this.world.clearTimeout((handle as ProcessTimer).handle);
  }

  /** The same time for those whose timers are not the runtime’s own: agents, the way to the store. They are not counted. */
  readonly uncounted: Clock = {
    now: () => this.now(),
    monotonic: () => this.monotonic(),
    setTimeout: (fn, delayMs) =>
      this.world.setTimeout(() => this.deliver(fn), Math.max(0, delayMs) / this.rate),
    clearTimeout: (handle) => this.world.clearTimeout(handle),
  };

  /** Something from outside reaches the process: now, after its pause, or never. */
  deliver(arrive: () => void): void {
    if (this.dead) return;
    if (this.paused) this.held.push(arrive);
    else arrive();
  }

  /** Moves wall time; timers keep their delay. */
  jump(byMs: number): void {
    this.offsetMs += byMs;
  }

  pause(): void {
    this.paused = true;
  }

  /** Goes on: what was held happens at once, each in a turn of its own. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    const { held } = this;
    this.held = [];
    for (const arrive of held) this.world.setTimeout(() => this.deliver(arrive), 0);
  }

  /** The process is gone. */
  kill(): void {
    this.dead = true;
    this.held = [];
    for (const { handle } of this.armed) this.world.clearTimeout(handle);
    this.armed.clear();
  }
}
