import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom } from '../../../src/core/random.ts';
import { createTroupe } from '../../../src/runtime/troupe.ts';
import { eventually } from '../../support/eventually.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import type { NatsServer } from '../../support/nats-server.ts';
import { HostProcess, Observer, SupervisorProcess } from './host-process.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const taskCount = 16;

it.each([1, 2])(
  'loses nothing and applies nothing twice when hosts, owners and the server are killed by seed %i',
  async (seed) => {
    const random = seededRandom(seed);
    const seen = new Observer();
    const hosts = await Promise.all(
      [0, 1].map(() => new HostProcess(server.url, ['--concurrency', '3']).ready()),
    );
    const ids = Array.from({ length: taskCount }, (_, index) => `t${index}`);
    const document = {
      pools: { gpu: { remote: true, lost_after: '3s' } },
      agents: { a: { uses: 'function', module: 'host:work', pool: 'gpu' } },
      defaults: { agent: 'a', retry: { max_attempts: 8, initial: '1ms' } },
      tasks: Object.fromEntries(ids.map((id) => [id, { with: { file: seen.file, ms: 250 } }])),
    };
    const owner = new SupervisorProcess(server.url, seen.folder, document);
    try {
      const run = await owner.run();
      await eventually('work is done', () => seen.seen('effect').length >= 2 + random() * 3);
      const victim = Math.floor(random() * hosts.length);
      await hosts[victim]?.kill();
      hosts[victim] = await new HostProcess(server.url, ['--concurrency', '3']).ready();
      if (random() < 0.5) await server.restart('SIGKILL');
      await owner.kill();
      const options = { bus: server.url, dataDir: seen.folder, level: 'process' } as const;
      const troupe = await createTroupe(options);
      const report = await (await troupe.resume(run)).outcome();
      const records = await troupe.records(run);
      await troupe.close();
      expect(report.census).toMatchObject({ succeeded: taskCount, failed: 0 });
      const applied = records.filter(({ type }) => type === 'task.succeeded');
      expect(applied).toHaveLength(taskCount);
      // Each operation had its effect at least once, and once for each attempt at most.
      const effects = seen.seen('effect').map(([, operation]) => operation);
      expect(new Set(effects).size).toBe(taskCount);
      const attempts = seen.seen('effect').map((words) => words.slice(1, 3).join(' '));
      expect(new Set(attempts).size).toBe(attempts.length);
    } finally {
      await owner.kill();
      await Promise.all(hosts.map((host) => host.kill()));
      seen.remove();
    }
  },
  90_000,
);
