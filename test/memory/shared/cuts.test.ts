import { afterEach, describe, expect, it } from 'vitest';
import type { EmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { seededRandom } from '../../../src/core/random.ts';
import type { SharedMemory } from '../../../src/memory/shared/shared-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { Company, embeddedGround } from './support.ts';

const keys = {
  'list.>': 'append',
  'sum.>': 'sum',
  'max.>': 'max',
  'set.>': 'union',
} as const;

/** One write of each kind, so that every loss and every repetition shows. */
async function write(one: SharedMemory, writer: number, n: number): Promise<void> {
  await one.update(['list.l', 'sum.s', 'max.m', 'set.u'], (values) => ({
    'list.l': [...((values['list.l'] as string[] | undefined) ?? []), `${writer}:${n}`],
    'sum.s': ((values['sum.s'] as number | undefined) ?? 0) + 1,
    'max.m': Math.max((values['max.m'] as number | undefined) ?? 0, n),
    'set.u': [...new Set([...((values['set.u'] as number[] | undefined) ?? []), n])],
    [`own.w${writer}`]: n,
  }));
}

describe('a shared memory whose members lose their connections', () => {
  let company: Company;
  afterEach(() => company.end());

  it.each([1, 2, 3, 4])(
    'keeps all that was acknowledged, once, and goes on without help (seed %i)',
    async (seed) => {
      const ground = await embeddedGround();
      company = new Company(ground);
      const random = seededRandom(seed);
      const writers = 8;
      const each = 25;
      const members: SharedMemory[] = [];
      for (let index = 0; index < writers; index++) members.push(await company.open({ keys }));
      let over = false;
      const cutting = (async () => {
        while (!over) {
          const bus = ground.buses[Math.floor(random() * writers)] as EmbeddedBus;
          bus.disconnect();
          await new Promise((resolve) => setTimeout(resolve, 2 + random() * 20));
          bus.reconnect();
          await new Promise((resolve) => setTimeout(resolve, random() * 15));
        }
      })();
      await Promise.all(
        members.map(async (one, writer) => {
          for (let n = 1; n <= each; n++) await write(one, writer, n);
        }),
      );
      over = true;
      await cutting;
      const newest = Math.max(...members.map(({ revision }) => revision));
      await eventually('all have the same', () => members.every((one) => one.revision >= newest));
      const expected = members.flatMap((_, writer) =>
        Array.from({ length: each }, (__, index) => `${writer}:${index + 1}`),
      );
      for (const one of members) {
        const view = one.view();
        expect([...(view.get('list.l') as string[])].sort()).toEqual([...expected].sort());
        expect(view.get('sum.s')).toBe(writers * each);
        expect(view.get('max.m')).toBe(each);
        expect((view.get('set.u') as number[]).length).toBe(each);
        expect(view.keys('own.>').map((key) => view.get(key))).toEqual(
          Array.from({ length: writers }, () => each),
        );
      }
    },
  );

  it('fences an owner that was away while another took its place, and repeats what it had not committed', async () => {
    const ground = await embeddedGround();
    company = new Company(ground);
    const first = await company.open({ keys });
    const second = await company.open({ keys });
    const firstBus = ground.buses[0] as EmbeddedBus;
    await first.propose({ 'sum.s': 1 }, { base: 0 });
    firstBus.disconnect();
    const stranded = first.propose({ 'sum.s': 10 }, { base: 0 });
    await second.propose({ 'sum.s': 100 }, { base: 0 });
    expect([first.owning, second.owning]).toEqual([true, true]);
    firstBus.reconnect();
    await stranded;
    expect([first.owning, second.owning]).toEqual([false, true]);
    expect(first.view().get('sum.s')).toBe(111);
  });
});
