import { createEmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts';
import type { EmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../src/core/clock.ts';
import { busSuite } from '../conformance/bus-suite.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);

/** The first door to each namespace; later ones are its peers. */
const first = new Map<string, EmbeddedBus>();

busSuite({
  name: 'the embedded bus',
  open: async ({ ns, onError }) => {
    const known = first.get(ns);
    if (known) return known.peer({ onError });
    const bus = createEmbeddedBus({ ns, clock: systemClock, schedule, onError });
    first.set(ns, bus);
    return bus;
  },
});
