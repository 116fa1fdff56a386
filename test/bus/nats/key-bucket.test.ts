import { expect, test } from 'vitest';
import type { KeyBucket, KeyBucketOptions, WatchEvent } from '../../../src/bus/key-bucket.ts';
import { createKeyBuckets } from '../../../src/bus/nats/key-bucket.ts';
import type { NatsLink } from '../../../src/bus/nats/link.ts';
import { eventually } from '../../support/eventually.ts';
import { onEveryServer, rejectsWith } from './support/bench.ts';
import type { Bench } from './support/bench.ts';
import { loseAnswers } from './support/lost-answers.ts';
import { untilDone } from './support/until-done.ts';

async function keysOf(
  bench: Bench,
  options?: KeyBucketOptions,
  link?: NatsLink,
): Promise<KeyBucket> {
  const buckets = createKeyBuckets(link ?? (await bench.link()));
  bench.after(() => buckets.close());
  return buckets.open('mem', options);
}

const isWrite = (subject: string): boolean => subject.startsWith('$KV.');

onEveryServer('A bucket', (bench) => {
  test('is written once by each verb when answers are lost', async () => {
    const lossy = loseAnswers(await bench.link(), isWrite);
    const keys = await keysOf(bench, { history: 64 }, lossy);
    const first = await keys.put('a', 1);
    const second = await keys.update('a', 2, first);
    const third = await keys.delete('a', second);
    const fourth = await keys.create('a', 4);
    expect(lossy.lost).toBeGreaterThanOrEqual(4);
    const history = await keys.history('a');
    expect(history.map(({ revision }) => revision)).toEqual([first, second, third, fourth]);
    expect(history.map(({ value }) => value)).toEqual([1, 2, undefined, 4]);
  });

  test('finds a put again that others have written over and whose id the server has forgotten', async () => {
    const other = await keysOf(bench, { history: 4 });
    const lossy = loseAnswers(await bench.link(), isWrite, async () => {
      await other.put('a', 'other');
      await bench.server.restart();
    });
    const keys = await keysOf(bench, undefined, lossy);
    await untilDone(() => keys.put('a', 'mine'));
    expect(lossy.lost).toBe(1);
    const values = (await untilDone(() => other.history('a'))).map(({ value }) => value);
    expect(values).toEqual(['mine', 'other']);
  });

  test('says so when it cannot know whether an update was done', async () => {
    const other = await keysOf(bench, { history: 2 });
    const first = await other.put('a', 0);
    const lossy = loseAnswers(await bench.link(), isWrite, async () => {
      for (const n of [2, 3, 4]) await other.put('a', n);
    });
    const keys = await keysOf(bench, undefined, lossy);
    await rejectsWith('TRP_BUS_TIMEOUT', keys.update('a', 1, first));
    expect((await other.history('a')).map(({ value }) => value)).toEqual([3, 4]);
  });

  test('resumes a watch over restarts, behind what it has handed over, deletions included', async () => {
    const keys = await keysOf(bench, { history: 64 });
    const seen: WatchEvent[] = [];
    await keys.put('before', 0);
    await keys.watch('>', (event) => void seen.push(event));
    await eventually('it is ready', () => seen.length === 2);
    const expected: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      await bench.server.restart();
      for (const key of ['a', 'b']) {
        const revision = await untilDone(() => keys.put(key, round));
        expected.push({ type: 'entry', key, value: round, revision });
      }
      const revision = await untilDone(() => keys.delete('a'));
      expected.push({ type: 'entry', key: 'a', value: undefined, revision });
    }
    await eventually('all came', () => seen.length >= 2 + expected.length);
    expect(seen.slice(2)).toEqual(expected);
  });

  test('reports what another client wrote and is no JSON, and goes on', async () => {
    const link = await bench.link();
    const keys = await keysOf(bench);
    const seen: WatchEvent[] = [];
    await keysOf(bench, undefined, link).then((own) =>
      own.watch('>', (event) => void seen.push(event)),
    );
    await link.request({ subject: `$KV.troupe_${bench.ns}_mem.bad`, data: Buffer.from('{') });
    await rejectsWith('TRP_BUS_PAYLOAD', keys.get('bad'));
    await keys.put('good', 1);
    await eventually('the good one came', () => seen.length === 2);
    expect(bench.faults).toMatchObject([{ code: 'TRP_BUS_PAYLOAD' }]);
    expect(await keys.keys()).toEqual(['bad', 'good']);
  });

  test('removes the consumers of its watches and lists', async () => {
    const link = await bench.link();
    const keys = await keysOf(bench, undefined, link);
    await keys.put('a', 1);
    const watch = await keys.watch('>', () => undefined);
    await keys.keys();
    await keys.history('a');
    watch.stop();
    await eventually('no consumer is left', async () => {
      const subject = `$JS.API.CONSUMER.NAMES.KV_troupe_${bench.ns}_mem`;
      const answer = await link.request({ subject, data: new Uint8Array() });
      return (answer.json<{ consumers: string[] | null }>().consumers ?? []).length === 0;
    });
  });

  test('refuses a bucket that is no bucket, and a republish subject that is none', async () => {
    const link = await bench.link();
    const name = `KV_troupe_${bench.ns}_mem`;
    const data = Buffer.from(JSON.stringify({ name, subjects: [`odd.${bench.ns}`] }));
    await link.request({ subject: `$JS.API.STREAM.CREATE.${name}`, data });
    await expect(keysOf(bench)).rejects.toMatchObject({ code: 'TRP_BUS_SERVER', place: name });
    const buckets = createKeyBuckets(link);
    await rejectsWith('TRP_BUS_SUBJECT', buckets.open('other', { republish: 'a..b' }));
  });
});
