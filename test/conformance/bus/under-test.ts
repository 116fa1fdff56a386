import { afterEach, beforeEach, expect } from 'vitest';
import type { Bus, BusMessage, SubscribeOptions } from '../../../src/bus/bus.ts';

/** How a bus is opened for one test. */
export interface OpenOptions {
  readonly ns: string;
  /** Told what user code threw inside the bus. */
  readonly onError: (error: unknown) => void;
}

/** A driver of the bus under test. */
export interface BusUnderTest {
  readonly name: string;
  /**
   * A bus in a namespace. Opened twice with one namespace it gives two connections to the same things, or, where
   * the bus is one process, the same bus.
   */
  open(options: OpenOptions): Promise<Bus>;
}

/** What a test of the contract works with: made anew for each test, in a namespace that nobody else has. */
export interface Bench {
  readonly bus: Bus;
  /** What handlers threw, in any bus of this bench. */
  readonly errors: readonly unknown[];
  /** A second door to the same namespace: another connection, where the driver has connections. */
  again(): Promise<Bus>;
  /** A bus in another namespace. */
  elsewhere(): Promise<Bus>;
  /** Collects what a pattern brings. */
  listen(pattern: string, options?: SubscribeOptions): BusMessage[];
  /** Resolves when everything that was published through the bus before has been handed over. */
  settled(): Promise<void>;
}

let count = 0;

/** A namespace of its own for each call. */
export function freshNamespace(): string {
  return `t${process.pid}-${++count}`;
}

/** Registers the hooks that give each test of the surrounding suite a fresh bench. */
export function benchFor(driver: BusUnderTest): Bench {
  let current: FreshBench | undefined;
  const fresh = (): FreshBench => {
    if (!current) throw new Error('The bench is there only while a test runs.');
    return current;
  };
  beforeEach(async () => {
    const made = new FreshBench(driver);
    await made.start();
    current = made;
  });
  afterEach(() => current?.close());
  return {
    get bus() {
      return fresh().bus;
    },
    get errors() {
      return fresh().errors;
    },
    again: () => fresh().open(fresh().bus.ns),
    elsewhere: () => fresh().open(freshNamespace()),
    listen: (pattern, options) => fresh().listen(pattern, options),
    settled: () => settled(fresh().bus),
  };
}

class FreshBench {
  readonly errors: unknown[] = [];
  private readonly driver: BusUnderTest;
  private readonly opened: Bus[] = [];

  constructor(driver: BusUnderTest) {
    this.driver = driver;
  }

  get bus(): Bus {
    const [first] = this.opened;
    if (!first) throw new Error('The bus did not open.');
    return first;
  }

  async start(): Promise<void> {
    await this.open(freshNamespace());
  }

  async open(ns: string): Promise<Bus> {
    const bus = await this.driver.open({ ns, onError: (error) => this.errors.push(error) });
    this.opened.push(bus);
    return bus;
  }

  listen(pattern: string, options?: SubscribeOptions): BusMessage[] {
    const got: BusMessage[] = [];
    this.bus.subscribe(pattern, (message) => void got.push(message), options);
    return got;
  }

  async close(): Promise<void> {
    for (const bus of this.opened) await bus.close();
  }
}

let fences = 0;

/** A message behind all others, awaited: order per publisher makes it the last one to arrive. */
export async function settled(bus: Bus): Promise<void> {
  const subject = `fence.${process.pid}.${++fences}`;
  await new Promise<void>((resolve) => {
    const subscription = bus.subscribe(subject, () => {
      subscription.unsubscribe();
      resolve();
    });
    bus.publish(subject, null);
  });
}

/** Matches an error of Troupe by its code. */
export function withCode(code: string): unknown {
  return expect.objectContaining({ code });
}

/** Numbers from 0. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** Expects that a promise rejects with a code. */
export async function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  const end = await promise.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: string }).code ?? error,
  );
  expect(end).toBe(code);
}
