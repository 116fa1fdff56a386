import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../../../src/bus/blob-store.ts';
import { benchFor, upTo } from './under-test.ts';
import type { BusUnderTest } from './under-test.ts';

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Large values by content. */
export function blobSuite(driver: BusUnderTest): void {
  describe(`${driver.name}: blobs`, () => {
    const bench = benchFor(driver);

    it.each([0, 1, 1_000, 131_072, 131_073, 1_048_577])(
      'gives %d bytes back as they were',
      async (size) => {
        const blobs = await bench.bus.blobs();
        const content = randomBytes(size);
        const ref = await blobs.put(content);
        expect(ref).toEqual({ hash: hashOf(content), bytes: size });
        const got = await blobs.get(ref.hash);
        expect(got !== undefined && Buffer.from(got).equals(content)).toBe(true);
      },
    );

    it('carries 5 MB through another door', async () => {
      const content = randomBytes(5_000_000);
      const { hash } = await (await bench.bus.blobs()).put(content);
      const got = await (await (await bench.again()).blobs()).get(hash);
      expect(got !== undefined && Buffer.from(got).equals(content)).toBe(true);
    });

    it('keeps what journals hold apart from what processes exchange', async () => {
      const [work, journal] = [await bench.bus.blobs(), await bench.bus.blobs('journal')];
      const { hash } = await journal.put(Buffer.from('of a journal'));
      expect(await work.get(hash)).toBeUndefined();
      const other = await (await bench.again()).blobs('journal');
      expect(Buffer.from((await other.get(hash)) ?? []).toString()).toBe('of a journal');
      expect([await journal.list(), await work.list()]).toEqual([[{ hash, bytes: 12 }], []]);
    });

    it('is one blob, whoever puts it and however often', async () => {
      const doors = [await bench.bus.blobs(), await (await bench.again()).blobs()] as const;
      const doorOf = (n: number): BlobStore => doors[n % 2 === 0 ? 0 : 1];
      const content = randomBytes(300_000);
      const refs = await Promise.all(upTo(6).map((n) => doorOf(n).put(content)));
      expect(new Set(refs.map((ref) => ref.hash)).size).toBe(1);
      expect(await doors[0].list()).toEqual([refs[0]]);
    });

    it('has nothing for a hash that nobody put, or that is no hash', async () => {
      const blobs = await bench.bus.blobs();
      for (const hash of [hashOf(Buffer.from('none')), '', 'x', '../etc', 'a b\r\n', '*', '>']) {
        expect(await blobs.get(hash)).toBeUndefined();
        expect(await blobs.delete(hash)).toBe(false);
      }
    });

    it('deletes a blob once, and takes it again', async () => {
      const blobs = await bench.bus.blobs();
      const content = Buffer.from('content');
      const { hash } = await blobs.put(content);
      expect([await blobs.delete(hash), await blobs.delete(hash)]).toEqual([true, false]);
      expect([await blobs.get(hash), await blobs.list()]).toEqual([undefined, []]);
      await blobs.put(content);
      expect(Buffer.from((await blobs.get(hash)) ?? []).toString()).toBe('content');
    });

    it('lists all blobs by hash', async () => {
      const blobs = await bench.bus.blobs();
      const refs = [];
      for (const n of upTo(10)) refs.push(await blobs.put(Buffer.from(`blob ${n}`)));
      const byHash = refs.toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
      expect(await blobs.list()).toEqual(byHash);
    });

    it('shares no memory with who puts or gets', async () => {
      const blobs = await bench.bus.blobs();
      const content = Buffer.from('content');
      const putting = blobs.put(content);
      content.fill(0);
      const { hash } = await putting;
      const got = await blobs.get(hash);
      got?.fill(0);
      expect(Buffer.from((await blobs.get(hash)) ?? []).toString()).toBe('content');
    });

    it('puts a part of a larger buffer', async () => {
      const blobs = await bench.bus.blobs();
      const part = Buffer.from('xxcontentxx').subarray(2, 9);
      const { hash, bytes } = await blobs.put(part);
      expect([hash, bytes]).toEqual([hashOf(Buffer.from('content')), 7]);
      expect(Buffer.from((await blobs.get(hash)) ?? []).toString()).toBe('content');
    });
  });
}
