import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carryOut, sim } from '../support/run-harness.ts';

describe('permits of a run', () => {
  it('are all given back before its scope is closed, however its tasks end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            ms: fc.integer({ min: 1, max: 50 }),
            fail: fc.constantFrom(0, 0.5, 1),
            timeout: fc.constantFrom(undefined, 20),
            cpu: fc.integer({ min: 1, max: 100 }),
            lock: fc.constantFrom(undefined, 'a', 'b'),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        fc.constantFrom<'cancel' | 'interrupt' | 'lose' | 'none'>(
          'cancel',
          'interrupt',
          'lose',
          'none',
        ),
        fc.integer({ min: 0, max: 60 }),
        async (shapes, ending, atMs) => {
          const tasks = Object.fromEntries(
            shapes.map(({ ms, fail, timeout, cpu, lock }, index) => [
              `t${index}`,
              sim(ms, {
                with: { fail },
                resources: { cpu },
                retry: { max_attempts: 2, backoff: 'fixed', initial: 5 },
                ...(timeout === undefined ? {} : { timeout }),
                ...(lock === undefined ? {} : { exclusive: [lock] }),
              }),
            ]),
          );
          let used: () => Record<string, number> = () => ({ unknown: 1 });
          let waiting = -1;
          const closed: Record<string, number>[] = [];
          const { end } = await carryOut({
            document: { version: 1, name: 'permits', tasks },
            during: (core, clock) => {
              const governor = core.services.governor as unknown as {
                send(event: { type: string }): void;
                getSnapshot(): { queue: { inUse(): Record<string, number>; waiting(): number } };
              };
              const { queue } = governor.getSnapshot();
              used = () => queue.inUse();
              const send = governor.send.bind(governor);
              governor.send = (event) => {
                if (event.type === 'scope.close') closed.push(used());
                send(event);
                waiting = queue.waiting();
              };
              clock.setTimeout(() => {
                if (ending === 'cancel') core.self.send({ type: 'run.cancel', by: 'test' });
                if (ending === 'interrupt') core.self.send({ type: 'run.interrupt' });
                const error = { code: 'TRP_INTERNAL', message: 'lost', errorClass: 'permanent' };
                if (ending === 'lose') core.self.send({ type: 'run.faulted', error } as never);
              }, atMs);
            },
          });
          expect(end).not.toBe('stuck');
          // Nothing was left for the close to take back: every permit came back with the end of its attempt.
          expect(closed).toEqual([{}]);
          expect(used()).toEqual({});
          expect(waiting).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
