import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { toPlain } from '../../../src/core/plain.ts';
import type { Plain } from '../../../src/core/plain.ts';
import { openSharedMemory } from '../../../src/memory/shared/open.ts';
import { proposalSubject, requestPayload } from '../../../src/memory/shared/proposal-message.ts';
import type { SharedMemory } from '../../../src/memory/shared/shared-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { proposalOf } from '../support.ts';
import { busWithLog } from './support.ts';

let bus: EmbeddedBus;
const members: SharedMemory[] = [];
beforeEach(() => {
  bus = createEmbeddedBus({ clock: systemClock, schedule: setImmediate });
});
afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.close()));
  await bus.close();
});

async function open(
  options: Omit<Parameters<typeof openSharedMemory>[0], 'bus' | 'name'> = {},
): Promise<SharedMemory> {
  const member = await openSharedMemory({ bus: bus.peer(), name: 'm', ...options });
  members.push(member);
  return member;
}

const ask = (payload: unknown): Promise<Plain> =>
  bus.request(proposalSubject(bus.ns, 'mem-m'), toPlain(payload));

describe('a hostile request to a shared memory', () => {
  it('cannot say that it has seen what is not there yet, and so overwrite everything', async () => {
    const member = await open();
    await member.propose({ k: 1 });
    const future = proposalOf('t', [{ key: 'k', value: 'mine' }], { base: 1_000_000 });
    expect(await ask(requestPayload([future]))).toMatchObject({
      answers: [{ refused: { code: 'TRP_CONTROL_REQUEST' } }],
    });
    expect(member.view().get('k')).toBe(1);
  });

  it('cannot mean two things by one change, nor put anything else into the log', async () => {
    const member = await open();
    const both = { key: 'k', value: 1, deleted: false };
    expect(
      await ask({ verb: 'memory.propose', proposals: [proposalOf('t', [both as never])] }),
    ).toMatchObject({ error: { code: 'TRP_CONTROL_REQUEST' } });
    const more = { ...proposalOf('u', [{ key: 'k', value: 1, junk: 'x' } as never]), junk: 'y' };
    expect(await ask({ verb: 'memory.propose', proposals: [more] })).toMatchObject({
      answers: [{ revision: expect.any(Number) as number }],
    });
    await eventually('it is here', () => member.view().get('k') === 1);
    const log = await bus.log('jrn', 'mem-m');
    const texts: string[] = [];
    for await (const { payload } of log.read()) texts.push(JSON.stringify(payload));
    expect(texts.join()).not.toContain('junk');
  });

  it('has no names without end, which the memory would have to keep', async () => {
    await open();
    for (const part of [{ op: 'x'.repeat(2_000) }, { agent: 'x'.repeat(2_000) }])
      expect(
        await ask({ verb: 'memory.propose', proposals: [{ ...proposalOf('t', []), ...part }] }),
      ).toMatchObject({ error: { code: 'TRP_CONTROL_REQUEST' } });
  });

  it('reaches nothing by names that objects have from their prototype', async () => {
    const member = await open({ keys: { 'sum.>': 'sum' }, owners: { 'mine.>': 'anna' } });
    const keys = ['__proto__', 'constructor', 'toString', 'sum.__proto__', 'mine.constructor'];
    const changes = Object.fromEntries(keys.slice(0, 4).map((key, index) => [key, index]));
    await member.propose(changes, { base: 0, agent: '__proto__' });
    await member.propose(changes, { base: 0, agent: 'constructor' });
    await expect(member.propose({ 'mine.constructor': 1 }, { agent: '__proto__' })).rejects.toThrow(
      'anna',
    );
    expect(member.view().get('sum.__proto__')).toBe(6);
    expect(member.view().keys()).toEqual(keys.slice(0, 4).toSorted());
    const held = await member.update(['__proto__'], (values) => ({
      __proto__: null,
      seen: Object.keys(values).join(),
    }));
    expect(held.changes).toContainEqual({ key: 'seen', value: '__proto__' });
  });
});

describe('a proposal that is malformed', () => {
  it('fails alone, and not those that go out with it', async () => {
    const member = await open();
    const good = [1, 2, 3].map((n) => member.propose({ [`k${n}`]: n }));
    const bad = [
      member.propose({ k: 0 }, { priority: 11 }),
      member.propose({ k: 0 }, { base: -1 }),
      member.propose({ '': 0 }),
      member.propose({ k: 0 }, { op: '' }),
    ];
    const failures = await Promise.allSettled(bad);
    expect(failures.map((one) => one.status)).toEqual(bad.map(() => 'rejected'));
    for (const one of failures)
      expect(one).toMatchObject({ reason: { code: 'TRP_CONTROL_REQUEST' } });
    await Promise.all(good);
    expect(member.view().keys()).toEqual(['k1', 'k2', 'k3']);
  });
});

describe('a proposal that is refused', () => {
  it.each([
    [{ 'a b': 1 }, {}, /the key "a b" is none/],
    [{ 'k.>': 1 }, {}, /the key "k.>" is none/],
    [{ 'k.*': 1 }, {}, /the key "k\.\*" is none/],
    [{ 'k..x': 1 }, {}, /the key "k..x" is none/],
    [{ '': 1 }, {}, /the key "" is none/],
    [{ k: 1 }, { priority: 11 }, /priority is 11; it must be a number from 1 to 10/],
    [{ k: 1 }, { base: -1 }, /base is -1/],
    [{ k: 1 }, { base: 9_999 }, /revision 9999/],
  ])('tells memory, fault and next step for %j with %j', async (changes, options, message) => {
    const member = await open();
    const error: unknown = await member.propose(changes, options).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'TRP_CONTROL_REQUEST',
      message: expect.stringMatching(message),
      place: 'memory m',
      hint: expect.not.stringContaining('verb'),
    });
  });

  it('calls writers outside runs agents, and names the key', async () => {
    const member = await open({ keys: { k: 'reject' }, agent: 'anna' });
    await member.propose({ k: 1 });
    await expect(member.propose({ k: 2 }, { base: 0, agent: 'ben' })).rejects.toMatchObject({
      code: 'TRP_MEMORY_REJECTED',
      message: expect.stringMatching(/^agent ben wrote k from .* but agent anna wrote it/),
      place: 'memory m',
      hint: expect.stringContaining('update()'),
    });
  });

  it('names the pattern, the value and the mergers there are', async () => {
    await expect(open({ keys: { 'a.*': 'mix' as 'sum' } })).rejects.toMatchObject({
      code: 'TRP_OPTION_INVALID',
      message: expect.stringMatching(/"a\.\*".*"mix".*first_writer_wins/),
      hint: expect.stringContaining('a.*'),
    });
  });
});

describe('a log with an entry that cannot be read', () => {
  it.each([
    ['frame of a later version', { v: 2, epoch: 9, records: [] }, 'TRP_JOURNAL_VERSION'],
    [
      'record of a later version',
      { v: 1, epoch: 1, records: [{ type: 'memory.folded', seq: 3, at: 0 }] },
      'TRP_JOURNAL_VERSION',
    ],
    ['record without content', { v: 1, epoch: 1, records: [null] }, 'TRP_JOURNAL_CORRUPT'],
    ['foreign entry', 'hello', 'TRP_JOURNAL_CORRUPT'],
  ])('(%s) stops every copy there, and nobody writes behind it', async (_, payload, code) => {
    const [first, second] = [await open(), await open()];
    const { revision } = await first.propose({ k: 'before' });
    await eventually('both have it', () => second.revision === revision);
    const log = await bus.log('jrn', 'mem-m');
    await log.append(payload as Plain);
    const change = { key: 'k', value: 'behind' };
    const record = { type: 'memory.committed', seq: 9, at: 0, op: 'o', changes: [change] };
    await log.append(toPlain({ v: 1, epoch: 1, records: [record] }));
    for (const one of [first, second]) {
      await expect(one.propose({ k: 'after' })).rejects.toMatchObject({ code });
      await expect(one.propose({ k: 'again' })).rejects.toMatchObject({ code });
      expect(one.view().get('k')).toBe('before');
    }
    await expect(open()).rejects.toMatchObject({ code });
  });
});

describe('two first openers with different rules', () => {
  it('do not both believe that theirs hold', async () => {
    const tries = await Promise.allSettled([
      open({ keys: { k: 'sum' } }),
      open({ keys: { k: 'max' } }),
    ]);
    expect(tries.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a member whose log does not come any more', () => {
  it('waits for what it has proposed no longer than it was told to', async () => {
    await open();
    let isCut = false;
    const deaf = busWithLog(bus.peer(), (log) => ({
      follow: (handler, options) => log.follow((entry) => !isCut && handler(entry), options),
    }));
    const member = await openSharedMemory({ bus: deaf, name: 'm', serve: false });
    members.push(member);
    isCut = true;
    await expect(member.propose({ k: 1 }, { timeoutMs: 80 })).rejects.toMatchObject({
      code: 'TRP_BUS_TIMEOUT',
    });
  });
});
