import { afterEach, describe, expect, it } from 'vitest';
import { contentHash } from '../../../src/core/canonical.ts';
import type { MemoryReader } from '../../../src/memory/view.ts';
import { proposalSubject } from '../../../src/memory/shared/proposal-message.ts';
import type { SharedMemory } from '../../../src/memory/shared/shared-memory.ts';
import type { MemoryUpdate } from '../../../src/memory/shared/watchers.ts';
import { eventually } from '../../support/eventually.ts';
import { Company, embeddedGround, natsGround } from './support.ts';

const grounds = { embedded: embeddedGround, nats: natsGround };

describe.each(Object.entries(grounds))('a shared memory on the %s bus', (_name, open) => {
  let company: Company;
  const begin = async (): Promise<Company> => (company = new Company(await open()));
  afterEach(() => company.end());

  it('shows a committed changeset to its writer at once and to others after a while, whole', async () => {
    const { open: member } = await gathered(begin);
    const [a, b] = [await member(), await member()];
    const { revision } = await a.propose({ 'x.one': 1, 'x.two': { deep: [2] } });
    expect(a.view().get('x.two')).toEqual({ deep: [2] });
    expect(a.revision).toBe(revision);
    await eventually('the other has it', () => b.revision >= revision);
    expect(b.view().keys('x.>')).toEqual(['x.one', 'x.two']);
  });

  it('has one hash for one content in every copy, and at every revision its own', async () => {
    const { open: member } = await gathered(begin);
    const [a, b] = [await member(), await member()];
    const first = await a.propose({ k: { x: 1, y: [2] } });
    await eventually('the other has it', () => b.revision === first.revision);
    const { revision } = await b.propose({ k: { y: 3 }, other: { y: [2], x: 1 } });
    await eventually('both have it', () => a.revision === revision);
    expect(a.hash('k')).toBe(contentHash({ y: 3 }));
    expect([b.hash('other'), a.hash('k', first.revision)]).toEqual([
      contentHash({ x: 1, y: [2] }),
      contentHash({ x: 1, y: [2] }),
    ]);
    expect(a.hash('none')).toBeUndefined();
  });

  it('has one owner, which the first opener is', async () => {
    const { open: member } = await gathered(begin);
    const members = [await member(), await member(), await member()];
    expect(members.map(({ owning }) => owning)).toEqual([true, false, false]);
  });

  it('merges concurrent writes by the rule of the key and tells each writer what came out', async () => {
    const { open: member } = await gathered(begin);
    const keys = { 'list.>': 'append', 'sum.>': 'sum' } as const;
    const [a, b] = [await member({ keys }), await member({ keys })];
    const base = a.revision;
    const first = await a.propose({ 'list.l': ['a'], 'sum.s': 1 }, { base });
    const second = await b.propose({ 'list.l': ['b'], 'sum.s': 5 }, { base });
    expect(second.changes).toEqual([
      { key: 'list.l', value: ['a', 'b'] },
      { key: 'sum.s', value: 6 },
    ]);
    expect(second.revision).toBeGreaterThan(first.revision);
    expect(b.view().get('list.l')).toEqual(['a', 'b']);
  });

  it('tells merged values that are too large to be written again and again', async () => {
    const { open: member } = await gathered(begin);
    const keys = { 'list.>': 'append' } as const;
    const [a, b] = [await member({ keys }), await member({ keys })];
    const many = (name: string): string[] => Array.from({ length: 400 }, (_, n) => `${name}${n}`);
    const seen: unknown[] = [];
    b.watch('list.l', ({ values }) => seen.push(values.get('list.l')));
    await a.propose({ 'list.l': many('a') }, { base: 0 });
    const { changes } = await b.propose({ 'list.l': many('b') }, { base: 0 });
    const whole = [...many('a'), ...many('b')];
    expect(changes).toEqual([{ key: 'list.l', value: whole }]);
    expect(seen).toEqual([many('a'), whole]);
  });

  it('records a conflict where a write lost, and gives it to the loser', async () => {
    const { open: member } = await gathered(begin);
    const [a, b] = [await member({ agent: 'anna' }), await member({ agent: 'ben' })];
    const base = a.revision;
    await a.propose({ k: 'first' }, { base });
    const lost = await b.propose({ k: 'second' }, { base });
    expect(lost.conflicts).toMatchObject([
      { key: 'k', rule: 'first_writer_wins', theirs: { agent: 'anna' }, dropped: 'second' },
    ]);
    expect(b.view().get('k')).toBe('first');
  });

  it('applies an operation once and gives its first answer again, also to another process', async () => {
    const { open: member } = await gathered(begin);
    const [a, b] = [await member(), await member()];
    const first = await a.propose({ k: 1 }, { op: 'op-1' });
    await eventually('the other has it', () => b.revision === first.revision);
    await b.propose({ k: 2 });
    const again = await b.propose({ k: 1 }, { op: 'op-1' });
    expect(again).toEqual(first);
    expect(b.view().get('k')).toBe(2);
  });

  it('computes again where a concurrent write is refused, so that no write is lost', async () => {
    const { open: member } = await gathered(begin);
    const keys = { n: 'reject' } as const;
    const members = await Promise.all([member({ keys }), member({ keys }), member({ keys })]);
    const additions = members.flatMap((one, member) =>
      Array.from({ length: 10 }, (_, index) =>
        one.update(['n'], ({ n = [] }) => ({ n: [...(n as string[]), `${member}.${index}`] })),
      ),
    );
    await Promise.all(additions);
    const items = (one: SharedMemory): string[] => (one.view().get('n') ?? []) as string[];
    await eventually('all see 30', () => members.every((one) => items(one).length === 30));
    expect(new Set(items(members[0] as SharedMemory)).size).toBe(30);
  });

  it('refuses a write to a key of another agent, and names the owner', async () => {
    const { open: member } = await gathered(begin);
    const a = await member({ owners: { 'mine.>': 'anna' }, agent: 'ben' });
    await expect(a.propose({ 'mine.k': 1 })).rejects.toMatchObject({
      code: 'TRP_MEMORY_NOT_OWNER',
      message: expect.stringContaining('anna') as string,
    });
    await a.propose({ 'mine.k': 1, other: 2 }, { agent: 'anna' });
    expect(a.view().get('mine.k')).toBe(1);
  });

  it('refuses an opener that has other rules, and takes one that has none', async () => {
    const { open: member } = await gathered(begin);
    await member({ keys: { k: 'sum' } });
    await expect(member({ keys: { k: 'max' } })).rejects.toMatchObject({
      code: 'TRP_OPTION_INVALID',
    });
    const plain = await member();
    await plain.propose({ k: 1 }, { base: 0 });
    await plain.propose({ k: 1 }, { base: 0 });
    expect(plain.view().get('k')).toBe(2);
  });

  it('tells watchers what there is, then every changeset of their keys, in order and each once', async () => {
    const { open: member } = await gathered(begin);
    const [a, b] = [await member(), await member()];
    await a.propose({ 'w.old': 0, other: 0 });
    await eventually('the watcher has it', () => b.revision === a.revision);
    const seen: MemoryUpdate[] = [];
    const watch = b.watch('w.*', (update) => seen.push(update));
    for (let n = 1; n <= 50; n++) await a.propose({ 'w.n': n, 'w.square': n * n, other: n });
    await a.propose({ 'w.n': undefined });
    await eventually('the watcher has seen the deletion', () => seen.length === 52);
    watch.stop();
    expect([...(seen[0]?.values ?? [])]).toEqual([['w.old', 0]]);
    expect(seen.slice(1, 51).map(({ values }) => [...values.values()])).toEqual(
      Array.from({ length: 50 }, (_, index) => [index + 1, (index + 1) ** 2]),
    );
    expect([...(seen[51]?.values ?? [])]).toEqual([['w.n', undefined]]);
  });

  it('never shows a part of a changeset, whoever reads and whenever', async () => {
    const { open: member } = await gathered(begin);
    const members = await Promise.all([member(), member(), member(), member()]);
    const torn: string[] = [];
    const check = (view: MemoryReader): void => {
      const values = ['p', 'q', 'r'].map((key) => view.get(key));
      if (new Set(values).size !== 1) torn.push(JSON.stringify(values));
    };
    for (const one of members) one.watch('p', () => check(one.view()));
    const held: { view: MemoryReader; p: unknown }[] = [];
    const writer = async (index: number): Promise<void> => {
      const one = members[index % members.length] as (typeof members)[number];
      for (let n = 0; n < 40; n++) {
        const value = index * 1000 + n;
        await one.propose({ p: value, q: value, r: value });
        for (const { view } of members.map((reader) => ({ view: reader.view() }))) check(view);
        if (n % 10 === 0) held.push({ view: one.view(), p: one.view().get('p') });
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => writer(index)));
    expect(torn).toEqual([]);
    for (const { view, p } of held) expect([view.get('p'), view.get('r')]).toEqual([p, p]);
  });

  it('goes on with another owner when the first one closes, and loses nothing', async () => {
    const { open: member } = await gathered(begin);
    const keys = { sum: 'sum' } as const;
    const members = await Promise.all(Array.from({ length: 4 }, () => member({ keys })));
    const add = (one: (typeof members)[number]): Promise<unknown> =>
      one.update(['sum'], ({ sum }) => ({ sum: ((sum as number | undefined) ?? 0) + 1 }));
    for (let round = 0; round < 3; round++) {
      const owner = members.findIndex(({ owning }) => owning);
      const [gone] = members.splice(owner === -1 ? 0 : owner, 1);
      const others = members.flatMap((one) => Array.from({ length: 20 }, () => add(one)));
      await gone?.close();
      await Promise.all(others);
    }
    const [last] = members;
    expect(last?.view().get('sum')).toBe(20 * (3 + 2 + 1));
    const late = await member();
    expect(late.view().get('sum')).toBe(120);
  });

  it('ends what waits when it is closed', async () => {
    const { open: member } = await gathered(begin);
    const a = await member({ serve: false });
    const waiting = a.propose({ k: 1 });
    await a.close();
    await expect(waiting).rejects.toMatchObject({ code: 'TRP_CLOSED' });
    await expect(a.propose({ k: 1 })).rejects.toMatchObject({ code: 'TRP_CLOSED' });
  });

  it('gives up on a proposal that nobody takes within its time', async () => {
    const { open: member } = await gathered(begin);
    const a = await member({ serve: false });
    await expect(a.propose({ k: 1 }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TRP_BUS_TIMEOUT',
    });
  });

  it('refuses a changeset that no message can hold, and goes on', async () => {
    const { open: member } = await gathered(begin);
    const a = await member({ keys: { log: 'append' } });
    await expect(a.propose({ k: 'x'.repeat(1_100_000) })).rejects.toMatchObject({
      code: 'TRP_BUS_PAYLOAD',
    });
    const half = 'y'.repeat(600_000);
    await a.propose({ log: [half] }, { base: 0 });
    await expect(a.propose({ log: [half] }, { base: 0 })).rejects.toMatchObject({
      code: 'TRP_BUS_PAYLOAD',
    });
    await a.propose({ k: 1 });
    expect(a.view().get('k')).toBe(1);
  });

  it('answers malformed requests with what is wrong with them', async () => {
    await gathered(begin);
    await company.open();
    const bus = await company.ground.bus();
    const subject = proposalSubject(bus.ns, 'mem-m');
    const proposal = { task: 't', agent: 'a', op: 'o', base: 0, priority: 5, changes: [] };
    const wrong = [
      null,
      { verb: 'memory.propose' },
      ...[
        { op: '' },
        { base: -1 },
        { priority: 11 },
        { changes: [{ key: 'k' }] },
        { changes: 3 },
        { agent: 1 },
      ].map((part) => ({ verb: 'memory.propose', proposals: [{ ...proposal, ...part }] })),
    ];
    for (const payload of wrong) {
      const answer = await bus.request(subject, payload as never);
      expect(answer).toMatchObject({ error: { code: 'TRP_CONTROL_REQUEST' } });
    }
  });
});

async function gathered(begin: () => Promise<Company>): Promise<Pick<Company, 'open'>> {
  const company = await begin();
  return { open: (options) => company.open(options) };
}
