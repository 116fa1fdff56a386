import { describe, expect, it } from 'vitest';

import { createEmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { BusLinks, maxFinishing } from '../../src/runtime/bus-links.ts';
import { EventStream, maxBuffered } from '../../src/runtime/event-stream.ts';
import { Parts } from '../../src/runtime/parts.ts';
import { maxWaitingRuns, RunDoor } from '../../src/runtime/run-door.ts';

describe('a reader of events that has fallen behind', () => {
  it('loses the oldest beyond the bound, counted, and reads the others in order', async () => {
    const stream = new EventStream<number>(() => undefined);
    const lost = 3;
    for (let event = 0; event < maxBuffered + lost; event++) stream.push(event);
    expect(stream.dropped).toBe(lost);
    stream.end();
    let expected = lost;
    for await (const event of stream) if (event !== expected++) expect(event).toBe(expected - 1);
    expect(expected).toBe(maxBuffered + lost);
  });

  it('loses nothing while it reads', async () => {
    const stream = new EventStream<number>(() => undefined);
    for (let event = 0; event < 3 * maxBuffered; event++) {
      stream.push(event);
      if ((await stream.next()).value !== event) expect.unreachable('an event is missing');
    }
    expect(stream.dropped).toBe(0);
  });
});

describe('runs that are begun while the process restarts its parts', () => {
  it('wait up to the bound; more are refused, and so are all when restarts are over', () => {
    const parts = new Parts();
    const door = new RunDoor(parts);
    const refused: string[] = [];
    const begin = (id: string): void => {
      const onFault = ({ message }: { message: string }): void =>
        void refused.push(`${id}: ${message}`);
      door.send({ type: 'child.start', id, src: 'run', input: { onFault } });
    };
    for (let run = 0; run <= maxWaitingRuns; run++) begin(`r${run}`);
    expect(refused).toEqual([expect.stringMatching(/^r1000: 1000 runs wait already/)]);
    door.close(new Error('over'));
    expect(refused).toHaveLength(maxWaitingRuns + 1);
    begin('late');
    expect(refused.at(-1)).toMatch(/^late: /);
    expect(refused).toHaveLength(maxWaitingRuns + 2);
  });
});

describe('ended runs whose bus is away', () => {
  it('are waited for up to a bound; of more, the oldest is shown no further', async () => {
    const told: string[] = [];
    const warn = (message: string): void => void told.push(message);
    const bus = createEmbeddedBus({ clock: systemClock, schedule: setImmediate });
    const config = {
      bus,
      clock: systemClock,
      logger: { ...silentLogger, warn },
      ns: 'x',
      dataDir: undefined,
    };
    const open = { bus, name: 'given', close: () => bus.close() };
    const links = new BusLinks(config, open, () => undefined);
    const closed: string[] = [];
    const end = (run: string): void =>
      links.finish({
        run,
        busName: 'given',
        finish: () => new Promise(() => undefined),
        close: () => Promise.resolve(closed.push(run) > 0),
      } as never);
    for (let run = 0; run <= maxFinishing; run++) end(`r${run}`);
    expect(closed).toEqual(['r0']);
    expect(told).toEqual([expect.stringContaining('the end of run r0 is not shown')]);
    await bus.close();
  });
});
