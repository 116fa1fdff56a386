import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTroupe } from '../../src/runtime/troupe.ts';
import type { RunReport } from '../../src/runtime/report.ts';

/** A provider that takes so many requests at one time, and a batch between two refusals. */
class HttpProvider {
  answered = 0;
  refused = 0;
  mostAtOnce = 0;
  private atOnce = 0;
  private readonly server = createServer((_request, response) => {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    const isRefused = this.atOnce > 6 || this.refused * 10 < this.answered;
    response.once('close', () => this.atOnce--);
    if (isRefused) {
      this.refused++;
      response.writeHead(429, { 'retry-after': '0', 'retry-after-ms': '25' }).end('later');
    } else {
      this.answered++;
      setImmediate(() => response.end('"yes"'));
    }
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const agentModule = `
export default async function call({ provider, input }) {
  return provider().call({ tokens: 10 }, async (signal) => {
    const response = await fetch(input.url, { signal });
    if (!response.ok) {
      await response.text();
      throw Object.assign(new Error('HTTP ' + response.status), { status: response.status, headers: response.headers });
    }
    return { value: await response.json(), usage: { input_tokens: 7, output_tokens: 3, cost: 0.25 }, headers: response.headers };
  });
}
`;

/** Says that it was refused and fails; started again, it finds the step that it has journaled. */
const programText = `
import { readFileSync } from 'node:fs';
const { steps } = JSON.parse(readFileSync(0, 'utf8'));
const say = (event) => console.log(JSON.stringify(event));
say({ type: 'usage', input_tokens: 5, output_tokens: 1, cost: 0.5 });
if (steps.first === undefined) {
  say({ type: 'step', name: 'first', value: 'done' });
  say({ type: 'rate_limited', retry_after_ms: 30 });
  process.exit(3);
}
say({ type: 'result', output: steps.first });
`;

let folder: string;
let provider: HttpProvider;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-providers-'));
  writeFileSync(join(folder, 'call.mjs'), agentModule);
  writeFileSync(join(folder, 'program.mjs'), programText);
  provider = new HttpProvider();
  url = await provider.listen();
});
afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

async function carryOut(agent: object, count: number): Promise<RunReport> {
  const path = join(folder, 'workflow.json');
  const tasks = Array.from({ length: count }, (_, index) => [
    `t${index}`,
    { agent: 'caller', with: { url }, retry: 1 },
  ]);
  const document = {
    version: 1,
    providers: { http: { concurrency: { initial: 8, max: 8 } } },
    agents: { caller: { provider: 'http', ...agent } },
    tasks: Object.fromEntries(tasks) as object,
  };
  writeFileSync(path, JSON.stringify(document));
  const troupe = await createTroupe({ concurrency: 100 });
  try {
    return await (await troupe.run(path)).outcome();
  } finally {
    await troupe.close();
  }
}

describe('a real provider that refuses now and then', () => {
  it.each([
    ['inline', 100],
    ['thread', 6],
    ['process', 3],
  ])('costs no attempt of functions %s', async (isolate, count) => {
    const before = { answered: provider.answered, refused: provider.refused };
    const report = await carryOut({ module: './call.mjs', isolate }, count);
    expect(report.census.succeeded).toBe(count);
    expect(report.tasks.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(provider.answered - before.answered).toBe(count);
    expect(report.spend).toMatchObject({
      input_tokens: 7 * count,
      output_tokens: 3 * count,
      cost: 0.25 * count,
    });
    expect(provider.mostAtOnce).toBeLessThanOrEqual(8);
    if (isolate === 'inline') expect(provider.refused - before.refused).toBeGreaterThan(0);
  });

  it('lets a program be started again, which finds its steps and has its usage counted', async () => {
    const report = await carryOut({ command: ['node', join(folder, 'program.mjs')] }, 2);
    expect(report.tasks.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([
      ['succeeded', 1],
      ['succeeded', 1],
    ]);
    expect(report.outputs).toEqual({ t0: 'done', t1: 'done' });
    expect(report.spend).toMatchObject({ input_tokens: 20, output_tokens: 4, cost: 2 });
  });
});
