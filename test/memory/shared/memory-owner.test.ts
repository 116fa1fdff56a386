import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import { createEmbeddedBus } from '../../../src/bus/embedded/embedded-bus.ts';
import type { EventLog } from '../../../src/bus/event-log.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { appendSurely } from '../../../src/bus/fenced-append.ts';
import { frameOf } from '../../../src/memory/shared/frame.ts';
import type { MemoryRecord } from '../../../src/memory/shared/frame.ts';
import { MemoryOwner } from '../../../src/memory/shared/memory-owner.ts';
import { openSharedMemory } from '../../../src/memory/shared/open.ts';
import { proposalSubject, requestPayload } from '../../../src/memory/shared/proposal-message.ts';
import { proposalOf } from '../support.ts';
import { busWithLog } from './support.ts';

const memory = 'mem-m';
const patience = { clock: systemClock, signal: new AbortController().signal };

let bus: EmbeddedBus;
beforeEach(() => {
  bus = createEmbeddedBus({ clock: systemClock, schedule: setImmediate });
});
afterEach(() => bus.close());

async function recordsOf(log: EventLog): Promise<readonly MemoryRecord[]> {
  const records: MemoryRecord[] = [];
  for await (const entry of log.read()) records.push(...frameOf(entry).records);
  return records;
}

describe('two owners that both take themselves for the one', () => {
  const owner = async (node: string, ended: string[]): Promise<MemoryOwner> =>
    MemoryOwner.takeOver({
      bus,
      log: await bus.log('jrn', memory),
      memory,
      node,
      rules: { keys: {}, owners: {} },
      patience,
      onEnded: ({ code }) => ended.push(`${node} ${code}`),
    });

  it('commit every operation once, and the older one steps down', async () => {
    const ended: string[] = [];
    const first = await owner('first', ended);
    const second = await owner('second', ended);
    expect([first.epoch, second.epoch]).toEqual([1, 2]);
    const answers: unknown[] = [];
    for (let n = 0; n < 5; n++) {
      const proposal = proposalOf(`t${n}`, [{ key: 'k', value: n }], { base: n });
      const payload = requestPayload([proposal]);
      // Both hear each request; whoever has been fenced asks for another try.
      for (;;) {
        const reply = await bus.request(proposalSubject(bus.ns, memory), payload);
        if (reply === null || typeof reply !== 'object' || 'again' in reply) continue;
        answers.push(reply);
        break;
      }
    }
    const records = await recordsOf(await bus.log('jrn', memory));
    const committed = records.filter(({ type }) => type === 'memory.committed');
    expect(committed.map((record) => 'op' in record && record.op)).toEqual(
      Array.from({ length: 5 }, (_, n) => `op-t${n}`),
    );
    expect(answers).toMatchObject(committed.map(({ seq }) => ({ answers: [{ revision: seq }] })));
    expect(ended).toEqual(['first TRP_JOURNAL_FENCED']);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
    await second.close();
  });

  it('cannot begin both on one place of the log', async () => {
    const results = await Promise.allSettled([owner('first', []), owner('second', [])]);
    const outcomes = results.map((result) =>
      result.status === 'fulfilled' ? 'owns' : (result.reason as TroupeError).code,
    );
    expect(outcomes.toSorted()).toEqual(['TRP_JOURNAL_FENCED', 'owns']);
  });
});

describe('an append whose answer is lost', () => {
  it('is repeated until it is known to be in, and is in once', async () => {
    const real = await bus.log('jrn', 'x');
    let lost = 0;
    const flaky: EventLog = Object.assign(Object.create(real) as EventLog, {
      append: async (...args: Parameters<EventLog['append']>) => {
        const seq = await real.append(...args);
        if (lost++ < 3) throw new TroupeError('TRP_BUS_TIMEOUT', 'the answer is lost');
        return seq;
      },
    });
    const seq = await appendSurely(flaky, patience, {
      payload: 'p',
      expectedSeq: 0,
      epoch: 1,
      op: 'o:1',
    });
    expect(await real.lastSeq()).toBe(seq);
    const payloads = [];
    for await (const { payload } of real.read()) payloads.push(payload);
    expect(payloads).toEqual(['p']);
  });
});

describe('a member whose log comes late', () => {
  it('shows its own changesets as soon as they are acknowledged, all the same', async () => {
    const owner = await openSharedMemory({ bus, name: 'm' });
    const late = busWithLog(bus.peer(), (log) => ({
      follow: (handler, options) =>
        log.follow((entry) => void setTimeout(() => handler(entry), 30), options),
    }));
    const member = await openSharedMemory({ bus: late, name: 'm', serve: false });
    for (let n = 0; n < 5; n++) {
      await member.propose({ k: n });
      expect(member.view().get('k')).toBe(n);
    }
    await member.close();
    await owner.close();
  });
});
