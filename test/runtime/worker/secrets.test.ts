import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import { startNatsServer } from '../../support/nats-server.ts';
import { remoteTask, Stage } from './worker-kit.ts';

const stage = new Stage();
afterEach(async () => {
  await stage.end();
  vi.unstubAllEnvs();
});

const canary = 'c4n4ry-"quoted" & 7f3a9';

/** Any part of the canary in any form: all of them have one of these in common. */
function leaks(text: string): readonly string[] {
  const base64 = Buffer.from(canary).toString('base64').slice(4, 20);
  return ['c4n4ry', base64].filter((form) => text.includes(form));
}

function withSecrets(secrets: readonly string[], rest: object = {}): object {
  return { ...remoteTask({ retry: { initial: 1, max_attempts: 2 }, ...rest }), secrets };
}

/** Says a secret in every way that a function has. */
const teller: TaskFunction = async ({ memory, progress, step, attempt }) => {
  const key = process.env['CANARY_KEY'] ?? '';
  progress({ message: `sending ${key}` });
  await step('pay', () => ({ receipt: `for ${key}` }));
  if (attempt === 1) throw new Error(`401 for ${key}`);
  memory.set('a.seen', key);
  return { key, url: encodeURIComponent(key), base64: Buffer.from(key).toString('base64') };
};

async function everythingIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('\n');
}

describe('a secret of a run whose tasks are done by worker hosts', () => {
  it('is known to the hosts by its name, and is nowhere on the server: subjects, streams, buckets', async () => {
    vi.stubEnv('CANARY_KEY', canary);
    const server = await startNatsServer();
    stage.onEnd(() => server.stop());
    const said: Buffer[] = [];
    const raw = await connect({ servers: server.url });
    stage.onEnd(() => raw.close());
    raw.subscribe('>', { callback: (_, { data }) => void said.push(Buffer.from(data)) });
    await raw.flush();
    const dataDir = mkdtempSync(join(tmpdir(), 'troupe-secret-'));
    stage.onEnd(() => Promise.resolve(rmSync(dataDir, { recursive: true, force: true })));
    const troupe = await stage.troupe({ bus: server.url, dataDir, level: 'process' });
    const worker = await stage.worker({
      bus: server.url,
      pools: ['gpu'],
      functions: { work: teller },
    });
    const handle = await troupe.run(withSecrets(['CANARY_KEY'], { writes: ['a.seen'] }));
    const report = await handle.outcome();
    expect(report.status).toBe('succeeded');
    expect(report.outputs).toMatchObject({ t: { key: '[secret CANARY_KEY]' } });
    await worker.close();
    await troupe.close();
    await raw.flush();
    const told = Buffer.concat(said).toString('latin1');
    expect(told).toContain('CANARY_KEY');
    expect(leaks(told)).toEqual([]);
    expect(leaks(await everythingIn(server.storeFolder))).toEqual([]);
    expect(leaks(await everythingIn(dataDir))).toEqual([]);
    const text = await shown(dataDir, handle.id);
    expect(text).toContain('[secret CANARY_KEY]');
    expect(leaks(JSON.stringify([report, text]))).toEqual([]);
  }, 60_000);

  it('that is an input is not sent: the task fails at once, and the next step is said', async () => {
    const bus = stage.bus();
    const said: unknown[] = [];
    bus.subscribe('>', ({ payload }) => void said.push(payload));
    const troupe = await stage.troupe({ bus });
    await stage.worker({ bus, pools: ['gpu'], functions: { work: () => 'begun' } });
    const document = withSecrets(['input.token'], { with: { token: '${input.token}' } });
    const handle = await troupe.run(document, { token: canary });
    const [task] = (await handle.outcome()).tasks;
    expect(task).toMatchObject({ outcome: 'failed', attempts: 1, reason: 'not_retryable' });
    expect(task?.error).toMatchObject({ code: 'TRP_SECRET_ON_BUS', place: 't' });
    expect(task?.error?.hint).toContain('environment');
    expect(leaks(JSON.stringify(said))).toEqual([]);
  });

  it('that is an input goes to hosts as anything else does when nobody declares it, so that the test can tell', async () => {
    const bus = stage.bus();
    const said: unknown[] = [];
    bus.subscribe('>', ({ payload }) => void said.push(payload));
    const troupe = await stage.troupe({ bus });
    await stage.worker({ bus, pools: ['gpu'], functions: { work: ({ input }) => input } });
    const handle = await troupe.run(withSecrets([], { with: { token: '${input.token}' } }), {
      token: canary,
    });
    await handle.outcome();
    expect(leaks(JSON.stringify(said))).not.toEqual([]);
  });
});

describe('a submission', () => {
  it.each([
    ['an input that is declared secret', ['input.token'], { token: canary }],
    ['the value of a secret variable', ['CANARY_KEY'], { other: `with ${canary} in it` }],
  ])('is refused with %s in it', async (_, secrets, input) => {
    vi.stubEnv('CANARY_KEY', canary);
    const server = await startNatsServer();
    stage.onEnd(() => server.stop());
    const troupe = await stage.troupe({ bus: server.url, journal: 'bus' });
    const submitted = troupe.submit(withSecrets(secrets), input);
    await expect(submitted).rejects.toMatchObject({ code: 'TRP_SECRET_ON_BUS' });
    expect(leaks(await everythingIn(server.storeFolder))).toEqual([]);
  });
});

/** What the command line shows of a run. */
function shown(dataDir: string, run: string): Promise<string> {
  const main = new URL('../../../dist/cli/main.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, 'show', run, '--json', '--data', dataDir]);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}
