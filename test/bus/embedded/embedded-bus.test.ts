import { describe, expect, it } from 'vitest';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { SubjectTrie } from '../../../src/bus/embedded/subject-trie.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { SimulatedClock } from '../../../src/core/simulated-clock.ts';

const schedule = (fn: () => void): void => void setImmediate(fn);

describe('the embedded bus in particular', () => {
  it('drops and counts what a subscription with too many waiting cannot take', async () => {
    const bus = createEmbeddedBus({ clock: systemClock, schedule, maxPending: 2 });
    const got: unknown[] = [];
    bus.subscribe('a', (message) => void got.push(message.payload));
    for (let n = 0; n < 5; n++) bus.publish('a', n);
    await bus.flush();
    bus.publish('a', 'later');
    await bus.flush();
    expect(got).toEqual([0, 1, 'later']);
    expect(bus.dropped).toBe(3);
  });

  it('passes a group’s message on when the chosen member leaves before it is delivered', async () => {
    const bus = createEmbeddedBus({ clock: systemClock, schedule });
    const got: string[] = [];
    const first = bus.subscribe('a', () => void got.push('first'), { queue: 'q' });
    const second = bus.subscribe('a', () => void got.push('second'), { queue: 'q' });
    bus.publish('a', 1);
    bus.publish('a', 2);
    first.unsubscribe();
    await bus.flush();
    expect(got).toEqual(['second', 'second']);
    bus.publish('a', 3);
    second.unsubscribe();
    await bus.flush();
    expect(got).toHaveLength(2);
  });

  it('passes on what waited for a sequential member that leaves its group', async () => {
    const bus = createEmbeddedBus({ clock: systemClock, schedule });
    const [first, second]: [unknown[], unknown[]] = [[], []];
    const options = { queue: 'q', sequential: true };
    const busy = bus.subscribe(
      'a',
      ({ payload }) => {
        first.push(payload);
        return new Promise(() => undefined);
      },
      options,
    );
    for (let n = 0; n < 4; n++) bus.publish('a', n);
    await bus.flush();
    bus.subscribe('a', ({ payload }) => void second.push(payload), options);
    busy.unsubscribe();
    await bus.flush();
    expect([first, second]).toEqual([[0], [1, 2, 3]]);
    await bus.close();
  });

  it('leaves no timer behind when a request was answered', async () => {
    const clock = new SimulatedClock();
    const bus = createEmbeddedBus({ clock, schedule });
    bus.subscribe('a', (message) => message.respond(1));
    await bus.request('a', 0);
    expect(clock.step()).toBe(false);
  });

  it('yields to the event loop between long runs of deliveries', async () => {
    const turns: number[] = [];
    let delivered = 0;
    const bus = createEmbeddedBus({
      clock: systemClock,
      schedule: (fn) => void setImmediate(() => (fn(), turns.push(delivered))),
    });
    bus.subscribe('a', () => void delivered++);
    for (let n = 0; n < 5_000; n++) bus.publish('a', n);
    await bus.flush();
    expect(delivered).toBe(5_000);
    expect(turns.length).toBeGreaterThan(3);
  });

  it('passes a checked payload on without copying it again', async () => {
    const bus = createEmbeddedBus({ clock: systemClock, schedule });
    const seen: unknown[] = [];
    bus.subscribe('a', (message) => {
      seen.push(message.payload);
      bus.publish('b', message.payload);
    });
    bus.subscribe('b', (message) => void seen.push(message.payload));
    bus.publish('a', { n: 1 });
    await bus.flush();
    await bus.flush();
    expect(seen[1]).toBe(seen[0]);
  });
});

describe('the subject trie', () => {
  it('forgets branches that nobody needs', () => {
    const trie = new SubjectTrie<string>();
    const patterns = ['a.b.c', 'a.*', '>', 'a.b.>'];
    for (const pattern of patterns) trie.add(pattern, pattern);
    expect(trie.match('a.b.c').sort()).toEqual(['>', 'a.b.>', 'a.b.c']);
    for (const pattern of patterns) trie.delete(pattern, pattern);
    expect(trie.isEmpty).toBe(true);
  });
});
