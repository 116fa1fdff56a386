import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import type { EmbeddedBus, EmbeddedBusOptions } from '../../../src/bus/embedded/embedded-bus.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';

/** Off the stack, as the runtime does it. */
export const schedule = (fn: () => void): void => void setImmediate(fn);

/** A bus whose time the test moves. */
export function simulatedBus({
  clock = new SimulatedClock(),
  ...options
}: Omit<Partial<EmbeddedBusOptions>, 'clock'> & { readonly clock?: SimulatedClock } = {}): {
  readonly bus: EmbeddedBus;
  readonly clock: SimulatedClock;
  /** Lets so much time pass, with everything that happens in it. */
  readonly pass: (ms: number) => Promise<void>;
} {
  const bus = createEmbeddedBus({ clock, schedule, ...options });
  return { bus, clock, pass: (ms) => pass(clock, ms) };
}

/** A timer that was made anew on the way may be due at the very end: it comes after ours, so ours is made twice. */
async function pass(clock: SimulatedClock, ms: number): Promise<void> {
  for (const wait of [ms, 0]) {
    let over = false;
    clock.setTimeout(() => {
      over = true;
    }, wait);
    await clock.runUntil(() => over);
  }
  await turn();
}

/** A turn of the event loop: whatever needs no time has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a pattern brings. */
export function listen(bus: EmbeddedBus, pattern: string): unknown[] {
  const got: unknown[] = [];
  bus.subscribe(pattern, ({ payload }) => void got.push(payload));
  return got;
}
