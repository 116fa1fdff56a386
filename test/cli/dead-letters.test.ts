import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Bus } from '../../src/bus/bus.ts';
import { runCli } from '../../src/cli/cli.ts';
import type { Troupe, TroupeOptions } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { startNatsServer } from '../support/nats-server.ts';
import type { NatsServer } from '../support/nats-server.ts';
import { FakeShell } from './support/fake-shell.ts';

/** Puts an item into a queue and has it given up. */
async function giveUp(bus: Bus): Promise<void> {
  const queue = await bus.workQueue('gpu');
  await queue.add({ file: 'a.txt' }, { id: 'job-1' });
  await (await queue.pull({ waitMs: 15_000 }))?.term('no such file');
}

async function shown(open: (options: TroupeOptions) => Promise<Troupe>, ...args: string[]) {
  const shell = new FakeShell({ openTroupe: open });
  const code = await runCli(shell, ['show', ...args], 'test');
  return { code, stdout: shell.stdout, stderr: shell.stderr };
}

const line = '     1  gpu  1x  job-1  no such file  {"file":"a.txt"}\n';

describe('show --dead-letters without a run', () => {
  let troupe: Troupe;
  beforeEach(async () => {
    troupe = await createTroupe();
  });
  afterEach(() => troupe.close());

  /** Another Troupe on the same bus, which is all that an address would have given. */
  const onSameBus = (): Promise<Troupe> => createTroupe({ bus: troupe.bus });

  it('lists what the queues of an embedded bus have given up, with reason and content', async () => {
    const before = await shown(onSameBus, '--dead-letters', '--bus', 'embedded');
    expect(before).toMatchObject({ code: 0, stdout: 'no dead letters\n' });
    await giveUp(troupe.bus);
    const { code, stdout } = await shown(onSameBus, '--dead-letters', '--bus', 'embedded');
    expect([code, stdout]).toEqual([0, line]);
  });

  it('says what is missing where no bus is named, or nothing to list', async () => {
    for (const args of [['--dead-letters'], ['--bus', 'embedded'], []]) {
      const { code, stderr } = await shown(onSameBus, ...args);
      expect(code).toBe(2);
      expect(stderr).toMatch(/TRP_OPTION_INVALID.*no run/s);
    }
  });
});

describe('show --dead-letters --bus of a server', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  it('lists what its queues have given up, as text and as JSON', async () => {
    const troupe = await createTroupe({ bus: server.url });
    try {
      await giveUp(troupe.bus);
    } finally {
      await troupe.close();
    }
    const text = await shown(createTroupe, '--dead-letters', '--bus', server.url);
    expect([text.code, text.stdout]).toEqual([0, line]);
    const json = await shown(createTroupe, '--dead-letters', '--bus', server.url, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      format: 1,
      bus: server.url,
      dead_letters: [
        { pool: 'gpu', id: 'job-1', reason: 'no such file', payload: { file: 'a.txt' } },
      ],
    });
  });
});
