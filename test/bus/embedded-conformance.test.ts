import { createEmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts';
import type { Bus } from '../../src/bus/bus.ts';
import { systemClock } from '../../src/core/clock.ts';
import { busSuite } from '../conformance/bus-suite.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);

/** One process, one bus: the second door to a namespace is the first one. */
const open = new Map<string, Bus>();

busSuite({
  name: 'the embedded bus',
  open: async ({ ns, onError }) => {
    const bus = open.get(ns) ?? createEmbeddedBus({ ns, clock: systemClock, schedule, onError });
    open.set(ns, bus);
    return bus;
  },
});
