import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { systemClock } from '../../../../src/core/clock.ts';
import type { ClientLink } from '../../../../src/bus/nats/client-link.ts';
import { openLink } from '../../../../src/bus/nats/open-link.ts';
import { natsServers, startNatsServer } from '../../../support/nats-server.ts';
import type { NatsServer } from '../../../support/nats-server.ts';

/** A server for the tests of one block, and links to it that end with each test. */
export interface Bench {
  readonly server: NatsServer;
  /** What links reported that no caller waited for. */
  readonly faults: unknown[];
  /** A namespace that no other test has; the same within a test. */
  readonly ns: string;
  link(ns?: string): Promise<ClientLink>;
  /** Called when the test ends, before its links are closed. */
  after(end: () => void | Promise<void>): void;
}

let count = 0;

/** Runs the tests against every server that there is. */
export function onEveryServer(title: string, tests: (bench: Bench) => void): void {
  describe.each(natsServers())(`${title} on nats-server $version`, (version) => {
    const bench = new RunningBench();
    beforeAll(async () => {
      bench.running = await startNatsServer({ server: version });
    });
    afterEach(() => bench.endTest());
    afterAll(() => bench.running?.stop());
    tests(bench);
  });
}

class RunningBench implements Bench {
  faults: unknown[] = [];
  running: NatsServer | undefined;
  private name = `n${++count}`;
  private links: ClientLink[] = [];
  private ends: (() => void | Promise<void>)[] = [];

  get server(): NatsServer {
    if (!this.running) throw new Error('The server is there only while tests run.');
    return this.running;
  }

  get ns(): string {
    return this.name;
  }

  async link(ns = this.name): Promise<ClientLink> {
    const link = await openLink({
      url: this.server.url,
      ns,
      clock: systemClock,
      schedule: (job) => void setImmediate(job),
      onError: (error) => this.faults.push(error),
    });
    this.links.push(link);
    return link;
  }

  after(end: () => void | Promise<void>): void {
    this.ends.push(end);
  }

  async endTest(): Promise<void> {
    for (const end of this.ends.toReversed()) await end();
    for (const link of this.links) await link.close();
    this.name = `n${++count}`;
    this.links = [];
    this.ends = [];
    this.faults = [];
  }
}

/** Expects that a promise rejects with a code. */
export async function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  await expect(promise).rejects.toMatchObject({ code });
}
