import { describe, expect, test } from 'vitest';
import { AdmissionQueue, type PermitRequest } from '../../src/policies/admission.ts';

function queueOf(capacity: Record<string, number>, agePeriodMs = 1000): AdmissionQueue {
  const queue = new AdmissionQueue({ capacity, agePeriodMs });
  queue.setScope('run', {});
  return queue;
}

function ask(id: string, more: Partial<PermitRequest> = {}): PermitRequest {
  return { id, scope: 'run', demand: {}, priority: 5, rank: 0, at: 0, ...more };
}

const ids = (requests: readonly PermitRequest[]): string[] => requests.map(({ id }) => id);

describe('order of admission', () => {
  test('priority comes before rank, and rank before arrival', () => {
    const queue = queueOf({ concurrency: 9 });
    queue.request(ask('late low', { rank: 9 }));
    queue.request(ask('plain', { priority: 7, rank: 1 }));
    queue.request(ask('urgent', { priority: 8 }));
    queue.request(ask('plain, later', { priority: 7, rank: 1 }));
    queue.request(ask('long way to go', { priority: 7, rank: 2 }));
    expect(ids(queue.admit(0))).toEqual([
      'urgent',
      'long way to go',
      'plain',
      'plain, later',
      'late low',
    ]);
  });

  test('what waits can be given other ranks; what runs and what is not named stays', () => {
    const queue = queueOf({ concurrency: 1 });
    for (const [rank, id] of ['a', 'b', 'c', 'd'].entries()) queue.request(ask(id, { rank }));
    expect(ids(queue.admit(0))).toEqual(['d']);
    queue.rerank('run', (id) => ({ a: 10, c: -1 })[id]);
    const order: string[] = [];
    for (let next = 'd'; next !== undefined;) {
      queue.release('run', next);
      next = ids(queue.admit(0))[0] as string;
      if (next !== undefined) order.push(next);
    }
    expect(order).toEqual(['a', 'b', 'c']);
    queue.rerank('nobody', () => 1);
  });

  test('every period waited raises a request by one priority', () => {
    const queue = queueOf({ concurrency: 1 });
    queue.request(ask('old', { priority: 3, at: 0 }));
    queue.request(ask('new', { priority: 5, rank: 1, at: 2500 }));
    expect(ids(queue.admit(2500))).toEqual(['new']);
    queue.release('run', 'new');
    queue.request(ask('newer', { priority: 5, at: 2999 }));
    expect(ids(queue.admit(3000))).toEqual(['old']);
  });

  test('within one demand, an aged request goes before a later one of higher rank', () => {
    const queue = queueOf({ concurrency: 1 });
    queue.request(ask('old', { rank: 0, at: 0 }));
    queue.request(ask('ranked', { rank: 100, at: 500 }));
    expect(ids(queue.admit(1000))).toEqual(['old']);
  });

  test('age counts also in a run where nothing happened since the last look', () => {
    const queue = queueOf({ concurrency: 1 });
    queue.setScope('other', {});
    queue.request(ask('old', { rank: 0, at: 0 }));
    queue.request(ask('ranked', { rank: 100, at: 500 }));
    queue.request(ask('urgent', { scope: 'other', priority: 9, at: 500 }));
    expect(ids(queue.admit(999))).toEqual(['urgent']);
    queue.release('other', 'urgent');
    expect(ids(queue.admit(1000))).toEqual(['old']);
  });

  test('a request that does not fit holds up nobody behind it', () => {
    const queue = queueOf({ concurrency: 5, cpu: 10 });
    queue.request(ask('holder', { demand: { cpu: 6 } }));
    queue.admit(0);
    queue.request(ask('big', { demand: { cpu: 5 }, priority: 9 }));
    queue.request(ask('small', { demand: { cpu: 4 }, priority: 1 }));
    expect(ids(queue.admit(0))).toEqual(['small']);
    queue.release('run', 'holder');
    expect(ids(queue.admit(0))).toEqual(['big']);
  });
});

describe('capacity', () => {
  test('concurrency is taken from the process and from the run', () => {
    const queue = queueOf({ concurrency: 3 });
    queue.setScope('narrow', { concurrency: 1 });
    for (const scope of ['narrow', 'run']) {
      for (const id of ['a', 'b', 'c']) queue.request(ask(id, { scope }));
    }
    expect(queue.admit(0).map(({ scope, id }) => `${scope} ${id}`)).toEqual([
      'narrow a',
      'run a',
      'run b',
    ]);
    expect(queue.inUse()).toEqual({ concurrency: 3 });
    expect(queue.inUse('narrow')).toEqual({ concurrency: 1 });
    expect(queue.waiting()).toBe(3);
    expect(queue.waiting('narrow')).toBe(2);
  });

  test('runs do not share the kinds of their own', () => {
    const queue = queueOf({ concurrency: 9 });
    queue.setScope('other', { lock: 2 });
    for (const scope of ['run', 'other']) {
      for (const id of ['a', 'b', 'c']) queue.request(ask(id, { scope, demand: { lock: 1 } }));
    }
    expect(queue.admit(0).map(({ scope, id }) => `${scope} ${id}`)).toEqual([
      'run a',
      'other a',
      'other b',
    ]);
  });

  test('a kind of the process is shared by all runs, and limited once more where a run limits it', () => {
    const queue = queueOf({ concurrency: 9, gpu: 3 });
    queue.setScope('modest', { gpu: 1 });
    for (const scope of ['modest', 'run']) {
      for (const id of ['a', 'b', 'c']) queue.request(ask(id, { scope, demand: { gpu: 1 } }));
    }
    expect(queue.admit(0).map(({ scope, id }) => `${scope} ${id}`)).toEqual([
      'modest a',
      'run a',
      'run b',
    ]);
  });

  test.each([
    ['a kind of the run', { demand: { cpu: 11 } }],
    ['a kind with the default capacity', { demand: { lock: 3 } }],
    ['a kind of the process', { demand: { gpu: 2 } }],
    ['a kind named like a property of every object', { demand: { constructor: 3 } }],
  ])('a demand above %s is refused when it is made', (_what, more) => {
    const queue = new AdmissionQueue({ capacity: { concurrency: 2, gpu: 1 }, agePeriodMs: 1 });
    queue.setScope('run', { cpu: 10 }, { defaultCapacity: 2 });
    expect(() => queue.request(ask('greedy', more))).toThrow(
      expect.objectContaining({ code: 'TRP_WORKFLOW_UNSATISFIABLE' }),
    );
    expect(queue.waiting()).toBe(0);
  });

  test.each([Number.NaN, -1, Infinity])('an amount of %s is refused', (units) => {
    const queue = queueOf({ concurrency: 1, cpu: 1 });
    const request = ask('odd', { demand: { cpu: units } });
    expect(() => queue.request(request)).toThrow(
      expect.objectContaining({ code: 'TRP_OPTION_INVALID' }),
    );
  });

  test('concurrency counts once, whatever the demand says about it', () => {
    const queue = queueOf({ concurrency: 2 });
    queue.request(ask('a', { demand: { concurrency: 1 } }));
    queue.request(ask('b', { demand: { concurrency: 5 } }));
    expect(ids(queue.admit(0))).toEqual(['a', 'b']);
    expect(queue.inUse()).toEqual({ concurrency: 2 });
  });

  test('a change of limits that would strand a waiting request is refused and changes nothing', () => {
    const queue = queueOf({ concurrency: 1 });
    queue.setScope('run', { cpu: 10 });
    queue.request(ask('a', { demand: { cpu: 8 } }));
    expect(() => queue.setScope('run', { cpu: 7 })).toThrow(
      expect.objectContaining({ code: 'TRP_WORKFLOW_UNSATISFIABLE' }),
    );
    expect(ids(queue.admit(0))).toEqual(['a']);
  });

  test('limits may fall below what is held: it stays held, and nothing more starts until enough is back', () => {
    const queue = queueOf({ concurrency: 9 });
    queue.setScope('run', { cpu: 10 });
    queue.request(ask('a', { demand: { cpu: 8 } }));
    queue.admit(0);
    queue.setScope('run', { cpu: 7 });
    queue.request(ask('b', { demand: { cpu: 1 } }));
    expect(queue.admit(0)).toEqual([]);
    queue.release('run', 'a');
    expect(ids(queue.admit(0))).toEqual(['b']);
  });

  test('raised limits let in what waited for them', () => {
    const queue = queueOf({ concurrency: 9 });
    for (const id of ['a', 'b']) queue.request(ask(id, { demand: { lock: 1 } }));
    expect(ids(queue.admit(0))).toEqual(['a']);
    queue.setScope('run', { lock: 2 });
    expect(ids(queue.admit(0))).toEqual(['b']);
  });

  test('a request of an undeclared scope is a fault', () => {
    const queue = queueOf({ concurrency: 1 });
    expect(() => queue.request(ask('a', { scope: 'nobody' }))).toThrow(
      expect.objectContaining({ code: 'TRP_INTERNAL' }),
    );
  });

  test('fractions that add up to the capacity fit', () => {
    const queue = queueOf({ concurrency: 9, cpu: 0.3 });
    queue.request(ask('a', { demand: { cpu: 0.1 } }));
    queue.request(ask('b', { demand: { cpu: 0.2 } }));
    expect(ids(queue.admit(0))).toEqual(['a', 'b']);
    for (const id of ['a', 'b']) queue.release('run', id);
    expect(queue.inUse()).toEqual({});
  });
});

describe('giving back', () => {
  test('a second release, and one of something that waits, give nothing back', () => {
    const queue = queueOf({ concurrency: 1 });
    for (const id of ['a', 'b']) queue.request(ask(id));
    queue.admit(0);
    expect(queue.release('run', 'b')).toBe(false);
    expect(queue.release('run', 'a')).toBe(true);
    expect(queue.release('run', 'a')).toBe(false);
    expect(queue.inUse()).toEqual({});
  });

  test('a part may be given back before the rest', () => {
    const queue = queueOf({ concurrency: 5, cpu: 4 });
    queue.request(ask('a', { demand: { cpu: 4 } }));
    queue.request(ask('b', { demand: { cpu: 3 } }));
    expect(ids(queue.admit(0))).toEqual(['a']);
    expect(queue.release('run', 'a', { cpu: 3, unheard: 1 })).toBe(true);
    expect(ids(queue.admit(0))).toEqual(['b']);
    expect(queue.release('run', 'a', { cpu: 99 })).toBe(true);
    expect(queue.release('run', 'a')).toBe(true);
    expect(queue.inUse()).toEqual({ concurrency: 1, cpu: 3 });
  });

  test('a withdrawn request never starts', () => {
    const queue = queueOf({ concurrency: 5 });
    for (const id of ['a', 'b']) queue.request(ask(id));
    expect(queue.withdraw('run', 'a')).toBe(true);
    expect(queue.withdraw('run', 'a')).toBe(false);
    expect(ids(queue.admit(0))).toEqual(['b']);
    expect(queue.withdraw('run', 'b')).toBe(false);
  });

  test('a removed run leaves nothing behind', () => {
    const queue = queueOf({ concurrency: 2, gpu: 1 });
    queue.setScope('gone', {});
    queue.request(ask('a', { scope: 'gone', demand: { gpu: 1 } }));
    queue.request(ask('b', { scope: 'gone', demand: { gpu: 1 } }));
    queue.admit(0);
    queue.removeScope('gone');
    queue.removeScope('gone');
    expect(queue.inUse()).toEqual({});
    expect(queue.waiting()).toBe(0);
    expect(queue.release('gone', 'a')).toBe(false);
    expect(queue.admit(0)).toEqual([]);
  });

  test('asking again for what waits or is held changes nothing', () => {
    const queue = queueOf({ concurrency: 5 });
    queue.request(ask('a'));
    queue.request(ask('a', { priority: 9 }));
    expect(ids(queue.admit(0))).toEqual(['a']);
    queue.request(ask('a'));
    expect(queue.admit(0)).toEqual([]);
  });
});

test('an age period that is not above 0 is refused', () => {
  expect(() => queueOf({ concurrency: 1 }, 0)).toThrow(
    expect.objectContaining({ code: 'TRP_OPTION_INVALID' }),
  );
});

test('a hundred thousand waiting requests are admitted and given back one by one', () => {
  const queue = queueOf({ concurrency: 1, cpu: 4 }, 50);
  for (let index = 0; index < 100_000; index++) {
    queue.request(
      ask(`${index}`, { demand: { cpu: 1 + (index % 4) }, rank: index % 997, at: index >> 4 }),
    );
  }
  let admitted = 0;
  for (let [next] = queue.admit(6250); next; [next] = queue.admit(6250 + admitted)) {
    admitted++;
    queue.release('run', next.id);
  }
  expect(admitted).toBe(100_000);
  expect(queue.inUse()).toEqual({});
});
