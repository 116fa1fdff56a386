import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { BlobStore } from '../../../src/bus/blob-store.ts';
import { createBlobStore } from '../../../src/bus/nats/blob-store.ts';
import type { NatsLink } from '../../../src/bus/nats/link.ts';
import { onEveryServer, rejectsWith } from './support/bench.ts';
import type { Bench } from './support/bench.ts';
import { loseAnswers } from './support/lost-answers.ts';
import { untilDone } from './support/until-done.ts';

async function blobsOf(bench: Bench, link?: NatsLink): Promise<BlobStore> {
  const blobs = createBlobStore(link ?? (await bench.link()));
  bench.after(() => blobs.close());
  return blobs.open('work');
}

async function messages(link: NatsLink, ns: string): Promise<number> {
  const subject = `$JS.API.STREAM.INFO.OBJ_troupe_${ns}_blob`;
  const answer = await link.request({ subject, data: new Uint8Array() });
  return answer.json<{ state: { messages: number } }>().state.messages;
}

onEveryServer('The blob store', (bench) => {
  test('stores a blob whole and once when answers are lost', async () => {
    const link = await bench.link();
    const blobs = await blobsOf(
      bench,
      loseAnswers(link, (subject) => subject.startsWith('$O.')),
    );
    const content = randomBytes(300_000);
    const { hash } = await blobs.put(content);
    expect(Buffer.from((await blobs.get(hash)) ?? []).equals(content)).toBe(true);
    expect(await messages(link, bench.ns)).toBe(4);
  });

  test('carries large blobs over restarts of the server', async () => {
    const blobs = await blobsOf(bench);
    const contents = Array.from({ length: 4 }, () => randomBytes(4_000_000));
    const restarts = (async () => {
      for (let n = 0; n < 3; n++) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        await bench.server.restart();
      }
    })();
    const refs = await Promise.all(contents.map((content) => untilDone(() => blobs.put(content))));
    await restarts;
    for (const [index, { hash }] of refs.entries()) {
      const got = await untilDone(() => blobs.get(hash));
      expect(Buffer.from(got ?? []).equals(contents[index] as Buffer)).toBe(true);
    }
  });

  test('leaves no parts of the losers behind when many put the same', async () => {
    const link = await bench.link();
    const stores = [await blobsOf(bench, link), await blobsOf(bench), await blobsOf(bench)];
    const content = randomBytes(400_000);
    await Promise.all(stores.flatMap((store) => [store.put(content), store.put(content)]));
    expect(await messages(link, bench.ns)).toBe(5);
  });

  test('refuses a blob that was damaged, or claims more than it may', async () => {
    const link = await bench.link();
    const blobs = await blobsOf(bench, link);
    const store = async (name: string, size: number): Promise<void> => {
      const [prefix, nuid] = [`$O.troupe_${bench.ns}_blob`, 'parts'];
      await link.request({ subject: `${prefix}.C.${nuid}`, data: Buffer.from('other content') });
      const meta = { name, nuid, size, chunks: 1, bucket: '', digest: '', mtime: '' };
      const at = `${prefix}.M.${Buffer.from(name).toString('base64').replaceAll('/', '_')}`;
      await link.request({ subject: at, data: Buffer.from(JSON.stringify(meta)) });
    };
    const hash = createHash('sha256').update('content').digest('hex');
    await store(hash, 13);
    await rejectsWith('TRP_BUS_PAYLOAD', blobs.get(hash));
    const huge = createHash('sha256').update('huge').digest('hex');
    await store(huge, 2 ** 40);
    await rejectsWith('TRP_BUS_PAYLOAD', blobs.get(huge));
    await rejectsWith('TRP_BUS_PAYLOAD', blobs.put(new Uint8Array(268_435_457)));
  });

  test('is read by another client’s object store', async () => {
    const link = await bench.link();
    const blobs = await blobsOf(bench);
    const content = randomBytes(200_000);
    const { hash } = await blobs.put(content);
    const store = await link.connection.jetstream().views.os(`troupe_${bench.ns}_blob`);
    const got = await store.getBlob(hash);
    expect(Buffer.from(got ?? []).equals(content)).toBe(true);
  });
});
