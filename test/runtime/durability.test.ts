import { describe, expect, it } from 'vitest';
import type { DurabilityLevel } from '../../src/journal/journal.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import type { Troupe } from '../../src/runtime/api.ts';
import { parseWorkflow } from '../../src/workflow/validate.ts';
import { temporaryFolder } from '../journal/support/folder.ts';

const functions = { work: () => 'done' };

const asking = (durability?: string): object => ({
  version: 1,
  name: 'asking',
  ...(durability && { durability }),
  agents: { worker: { uses: 'function', module: 'host:work' } },
  tasks: { only: { agent: 'worker' } },
});

const levels = ['memory', 'process', 'power'] as const;

async function troupeOf(level: DurabilityLevel, dataDir?: string): Promise<Troupe> {
  const folder = dataDir ?? (await temporaryFolder());
  return createTroupe(level === 'memory' ? { functions } : { functions, dataDir: folder, level });
}

describe('a document that asks for durability', () => {
  it.each(levels.flatMap((asked) => levels.map((given) => [asked, given] as const)))(
    'asks for %s: a process that gives %s runs it if that is as much',
    async (asked, given) => {
      const troupe = await troupeOf(given);
      const started = troupe.run(asking(asked));
      if (levels.indexOf(given) >= levels.indexOf(asked)) {
        expect((await (await started).outcome()).status).toBe('succeeded');
      } else {
        await expect(started).rejects.toMatchObject({ code: 'TRP_DURABILITY' });
        expect(await troupe.runs()).toEqual([]);
      }
      await troupe.close();
    },
  );

  it('is not resumed by a process that gives less, and stays free for one that gives enough', async () => {
    const dataDir = await temporaryFolder();
    const first = await createTroupe({
      dataDir,
      functions: { work: () => new Promise<null>(() => undefined) },
    });
    const document = asking('power') as { agents: { worker: object } };
    const agents = { worker: { ...document.agents.worker, limits: { kill_after: '1ms' } } };
    const { id } = await first.run({ ...document, agents });
    await first.close();
    const less = await troupeOf('process', dataDir);
    await expect(less.resume(id)).rejects.toMatchObject({
      code: 'TRP_DURABILITY',
      hint: expect.stringContaining('--durability power') as string,
    });
    await less.close();
    const enough = await troupeOf('power', dataDir);
    expect((await (await enough.resume(id)).outcome()).status).toBe('succeeded');
    await enough.close();
  });

  it('is simulated whatever it asks for', async () => {
    const troupe = await troupeOf('memory');
    const handle = await troupe.run(asking('power'), {}, { simulate: true });
    expect((await handle.outcome()).status).toBe('succeeded');
    await troupe.close();
  });

  it('is refused with the nearest level when there is none of that name', async () => {
    const parsed = parseWorkflow(asking('powr') as never, { baseDir: '/' });
    await expect(parsed).rejects.toThrow(/durability[^]*power/);
  });
});
