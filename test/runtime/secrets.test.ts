import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { TaskFunction } from '../../src/actors/behaviours/behaviour.ts';
import type { Logger } from '../../src/core/log.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { temporaryFolder } from '../journal/support/folder.ts';

const canary = 'c4n4ry-"quoted" & 7f3a9';
const inputCanary = 'input-c4n4ry-5be21';

const document = {
  version: 1,
  name: 'secretive',
  secrets: ['CANARY_KEY', 'input.token'],
  defaults: { retry: { max_attempts: 2, backoff: 'fixed', initial: 1, jitter: 0 } },
  agents: {
    teller: { uses: 'function', module: 'host:tell', owns: ['board.*'] },
    failing: { uses: 'function', module: 'host:fail' },
    echo: { uses: 'function', module: 'host:echo' },
  },
  tasks: {
    tell: { agent: 'teller', with: { token: '${input.token}', plain: '${input.plain}' } },
    fail: { agent: 'failing' },
    echo: { agent: 'echo', needs: ['tell'], with: { said: '${tasks.tell.output}' } },
  },
  outputs: { said: '${tasks.echo.output}' },
};

/** What functions were given, and all that they let out. */
function world(seen: unknown[]): { readonly [name: string]: TaskFunction } {
  const all = (): object => ({
    text: `key is ${canary}!`,
    url: `https://example.org/?key=${encodeURIComponent(canary)}`,
    json: JSON.stringify({ canary }),
    base64: Buffer.from(`user:${canary}`).toString('base64'),
    bare: Buffer.from(canary).toString('base64'),
    bytes: new Uint8Array(Buffer.from(`x${canary}y`)),
    [canary]: [inputCanary, { deep: inputCanary }],
    large: `${canary} `.repeat(4_000),
  });
  return {
    tell: async ({ input, memory, progress, step }) => {
      seen.push(input);
      progress({ message: `sending ${canary}`, fraction: 0.5 });
      await step(`with-a-key`, async () => all() as never);
      memory.set('board.all', [canary, inputCanary]);
      return all() as never;
    },
    fail: () => {
      throw new Error(`401 for ${canary}`);
    },
    echo: ({ input }) => input,
  };
}

async function everythingIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('\n');
}

/** Any part of a canary in any form: all of them have this in common, and Base64 its own. */
const leaks = (text: string): readonly string[] =>
  [
    'c4n4ry',
    'input-c4n4ry',
    Buffer.from(canary).toString('base64').slice(4, 20),
    Buffer.from(`user:${canary}`).toString('base64').slice(10, 26),
  ].filter((form) => text.includes(form));

describe('a value that is declared secret', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('reaches the tasks and is found nowhere else: files, bus, events, logs, report', async () => {
    vi.stubEnv('CANARY_KEY', canary);
    const dataDir = await temporaryFolder();
    const said: unknown[] = [];
    const seen: unknown[] = [];
    const note = (...parts: unknown[]): unknown => said.push(parts);
    const logger: Logger = { debug: note, info: note, warn: note, error: note } as never;
    const troupe = await createTroupe({ dataDir, logger, functions: world(seen) });
    troupe.bus.subscribe('>', (message) => void said.push(message));
    const input = { token: inputCanary, plain: 'plain-text' };
    const handle = await troupe.run(document, input);
    const events = (async (): Promise<void> => {
      for await (const event of handle.events()) said.push(event);
    })();
    said.push(await handle.outcome());
    await events;
    said.push(await troupe.show(handle.id), await troupe.records(handle.id));
    await troupe.bus.flush();
    await troupe.close();
    expect(seen).toEqual([{ token: inputCanary, plain: 'plain-text' }]);
    const told = JSON.stringify(said, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    expect(leaks(told)).toEqual([]);
    expect(leaks(await everythingIn(dataDir))).toEqual([]);
    expect(told).toContain('[secret CANARY_KEY]');
    expect(told).toContain('[secret input.token]');
    expect(told).toContain('plain-text');
  });

  it('is found when it is not declared, so that the test can tell', async () => {
    vi.stubEnv('CANARY_KEY', canary);
    const dataDir = await temporaryFolder();
    const troupe = await createTroupe({ dataDir, functions: world([]) });
    const { secrets: _, ...open } = document;
    await (await troupe.run(open, { token: inputCanary, plain: 'x' })).outcome();
    await troupe.close();
    expect(leaks(await everythingIn(dataDir))).toHaveLength(4);
  });

  it('that came as input is gone when the run is taken over: who needs it fails by name', async () => {
    vi.stubEnv('CANARY_KEY', canary);
    const dataDir = await temporaryFolder();
    const seen: unknown[] = [];
    const first = await createTroupe({ dataDir, functions: world(seen) });
    const later = {
      ...document,
      tasks: { ...document.tasks, fail: { agent: 'failing', retry: 1 } },
    };
    const handle = await first.run(later, { token: inputCanary, plain: 'x' });
    await handle.outcome();
    await first.close();
    const second = await createTroupe({ dataDir, functions: world(seen) });
    const report = await (await second.resume(handle.id)).outcome();
    await second.close();
    expect(report.tasks.find(({ id }) => id === 'tell')?.outcome).toBe('succeeded');
    expect(leaks(await everythingIn(dataDir))).toEqual([]);
  });
});
