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

const messaging: fc.Arbitrary<Operation>[] = [
  fc.record({ part: fc.constant('messages'), type: fc.constant('publish'), subject, n: number }),
  fc.record({ part: fc.constant('messages'), type: fc.constant('publish'), subject, n: number }),
  fc.record(
    {
      part: fc.constant('messages'),
      type: fc.constant('subscribe'),
      pattern,
      queue: fc.constantFrom('g', 'h'),
    },
    { requiredKeys: ['part', 'type', 'pattern'] },
  ),
  fc.record({ part: fc.constant('messages'), type: fc.constant('unsubscribe'), which: number }),
  fc.record({ part: fc.constant('messages'), type: fc.constant('request'), subject, n: number }),
];

const settlement = fc.constantFrom<Settlement>('ack', 'nak', 'nak', 'term', 'in progress');
const work: fc.Arbitrary<Operation>[] = [
  fc.record({ part: fc.constant('work'), type: fc.constant('add'), id, level }),
  fc.record({ part: fc.constant('work'), type: fc.constant('add'), id, level }),
  fc.record({ part: fc.constant('work'), type: fc.constant('pull all') }),
  fc.record({
    part: fc.constant('work'),
    type: fc.constant('settle'),
    how: settlement,
    which: number,
  }),
  fc.record({
    part: fc.constant('work'),
    type: fc.constant('settle'),
    how: settlement,
    which: number,
  }),
  fc.record({ part: fc.constant('work'), type: fc.constant('letters') }),
  fc.record({ part: fc.constant('work'), type: fc.constant('forget'), which: number }),
  fc.record({ part: fc.constant('work'), type: fc.constant('depth') }),
];

const logs: fc.Arbitrary<Operation>[] = [
  fc.record({
    part: fc.constant('log'),
    type: fc.constant('append'),
    log,
    op: fc.constantFrom('', 'x', 'y', 'z'),
    expected,
  }),
  fc.record({
    part: fc.constant('log'),
    type: fc.constant('append'),
    log,
    op: fc.constantFrom('', 'x', 'y', 'z'),
    expected,
  }),
  fc.record({ part: fc.constant('log'), type: fc.constant('read'), log, from: number }),
  fc.record({ part: fc.constant('log'), type: fc.constant('follow'), log, from: number }),
  fc.record({ part: fc.constant('log'), type: fc.constant('empty'), log }),
];

const write = fc.constantFrom<KeyWrite>('put', 'create', 'update', 'delete');
const keys: fc.Arbitrary<Operation>[] = [
  fc.record({
    part: fc.constant('keys'),
    type: fc.constant('write'),
    how: write,
    key: subject,
    expected,
  }),
  fc.record({
    part: fc.constant('keys'),
    type: fc.constant('write'),
    how: write,
    key: subject,
    expected,
  }),
  fc.record({
    part: fc.constant('keys'),
    type: fc.constant('write'),
    how: write,
    key: subject,
    expected,
  }),
  fc.record({
    part: fc.constant('keys'),
    type: fc.constant('look'),
    how: fc.constantFrom('get', 'history'),
    key: subject,
  }),
  fc.record({ part: fc.constant('keys'), type: fc.constant('keys'), pattern }),
  fc.record({ part: fc.constant('keys'), type: fc.constant('purge'), pattern }),
  fc.record({
    part: fc.constant('keys'),
    type: fc.constant('watch'),
    pattern,
    after: fc.option(number, { nil: undefined }),
  }),
];

/** A story of up to 25 steps over all parts of the bus. */
export const stories: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(...messaging, ...work, ...logs, ...keys),
  { minLength: 1, maxLength: 25, size: 'max' },
);
