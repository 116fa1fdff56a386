import fc from 'fast-check';
import type { WorkLevel } from '../../../src/bus/work-queue.ts';
import { workLevels } from '../../../src/bus/work-queue.ts';

/** How the revision or sequence number that a write expects is chosen: the latest, an earlier one, 0, or none. */
export type Expectation = 'latest' | 'stale' | 'zero' | 'none';

/** One step of a story that both buses are told. Numbers choose among what there is then, modulo how many. */
export type Operation =
  | {
      readonly part: 'messages';
      readonly type: 'publish';
      readonly subject: string;
      readonly n: number;
    }
  | {
      readonly part: 'messages';
      readonly type: 'subscribe';
      readonly pattern: string;
      readonly queue?: string;
    }
  | { readonly part: 'messages'; readonly type: 'unsubscribe'; readonly which: number }
  | {
      readonly part: 'messages';
      readonly type: 'request';
      readonly subject: string;
      readonly n: number;
    }
  | { readonly part: 'work'; readonly type: 'add'; readonly id: string; readonly level: WorkLevel }
  | { readonly part: 'work'; readonly type: 'pull all' }
  | {
      readonly part: 'work';
      readonly type: 'settle';
      readonly how: Settlement;
      readonly which: number;
    }
  | { readonly part: 'work'; readonly type: 'letters' }
  | { readonly part: 'work'; readonly type: 'forget'; readonly which: number }
  | { readonly part: 'work'; readonly type: 'depth' }
  | {
      readonly part: 'log';
      readonly type: 'append';
      readonly log: string;
      readonly op: string;
      readonly expected: Expectation;
    }
  | { readonly part: 'log'; readonly type: 'read'; readonly log: string; readonly from: number }
  | { readonly part: 'log'; readonly type: 'follow'; readonly log: string; readonly from: number }
  | { readonly part: 'log'; readonly type: 'empty'; readonly log: string }
  | {
      readonly part: 'keys';
      readonly type: 'write';
      readonly how: KeyWrite;
      readonly key: string;
      readonly expected: Expectation;
    }
  | {
      readonly part: 'keys';
      readonly type: 'look';
      readonly how: 'get' | 'history';
      readonly key: string;
    }
  | { readonly part: 'keys'; readonly type: 'keys'; readonly pattern: string }
  | { readonly part: 'keys'; readonly type: 'purge'; readonly pattern: string }
  | {
      readonly part: 'keys';
      readonly type: 'watch';
      readonly pattern: string;
      readonly after: number | undefined;
    };

/** What becomes of an item that is held. */
export type Settlement = 'ack' | 'nak' | 'term' | 'in progress';

/** The writing verbs of a bucket. */
export type KeyWrite = 'put' | 'create' | 'update' | 'delete';

const number = fc.nat({ max: 20 });
const subject = fc.constantFrom('a', 'a.b', 'a.c', 'b.b', 'a.b.c');
const pattern = fc.constantFrom('a', 'a.b', 'a.*', '*.b', '>', 'a.>', '*.*', 'a.*.c');
const expected = fc.constantFrom<Expectation>('latest', 'latest', 'stale', 'zero', 'none');
const log = fc.constantFrom('one', 'two');
const level = fc.constantFrom(...workLevels);
const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');

type Weighted = fc.WeightedArbitrary<Operation>;

const messages: Weighted[] = [
  {
    weight: 4,
    arbitrary: fc.record({
      part: fc.constant('messages'),
      type: fc.constant('publish'),
      subject,
      n: number,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        part: fc.constant('messages'),
        type: fc.constant('subscribe'),
        pattern,
        queue: fc.constantFrom('g', 'h'),
      },
      { requiredKeys: ['part', 'type', 'pattern'] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      part: fc.constant('messages'),
      type: fc.constant('unsubscribe'),
      which: number,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      part: fc.constant('messages'),
      type: fc.constant('request'),
      subject,
      n: number,
    }),
  },
];

const settlement = fc.constantFrom<Settlement>('ack', 'nak', 'nak', 'nak', 'term', 'in progress');
const work: Weighted[] = [
  {
    weight: 4,
    arbitrary: fc.record({ part: fc.constant('work'), type: fc.constant('add'), id, level }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ part: fc.constant('work'), type: fc.constant('pull all') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      part: fc.constant('work'),
      type: fc.constant('settle'),
      how: settlement,
      which: number,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ part: fc.constant('work'), type: fc.constant('letters') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      part: fc.constant('work'),
      type: fc.constant('forget'),
      which: number,
    }),
  },
  { weight: 2, arbitrary: fc.record({ part: fc.constant('work'), type: fc.constant('depth') }) },
];

const op = fc.constantFrom('', 'x', 'y');
const logs: Weighted[] = [
  {
    weight: 8,
    arbitrary: fc.record({
      part: fc.constant('log'),
      type: fc.constant('append'),
      log,
      op,
      expected,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      part: fc.constant('log'),
      type: fc.constant('read'),
      log,
      from: number,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      part: fc.constant('log'),
      type: fc.constant('follow'),
      log,
      from: number,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ part: fc.constant('log'), type: fc.constant('empty'), log }),
  },
];

const key = fc.constantFrom('a', 'a.b', 'b.c');
const write = fc.constantFrom<KeyWrite>('put', 'create', 'update', 'delete');
const keys: Weighted[] = [
  {
    weight: 10,
    arbitrary: fc.record({
      part: fc.constant('keys'),
      type: fc.constant('write'),
      how: write,
      key,
      expected,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      part: fc.constant('keys'),
      type: fc.constant('look'),
      how: fc.constantFrom('get', 'history'),
      key,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ part: fc.constant('keys'), type: fc.constant('keys'), pattern }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ part: fc.constant('keys'), type: fc.constant('purge'), pattern }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      part: fc.constant('keys'),
      type: fc.constant('watch'),
      pattern,
      after: fc.option(number, { nil: undefined }),
    }),
  },
];

const storyOf = (steps: readonly Weighted[]): fc.Arbitrary<Operation[]> =>
  fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 40, size: 'max' });

/** A story of up to 40 steps with one part of the bus, or with all of them. */
export const stories: fc.Arbitrary<Operation[]> = fc.oneof(
  storyOf(messages),
  storyOf(work),
  storyOf(logs),
  storyOf(keys),
  storyOf([...messages, ...work, ...logs, ...keys]),
);
