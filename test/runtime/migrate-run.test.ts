import { describe, expect, it } from 'vitest';
import { fold } from '../../src/journal/fold.ts';
import { migrationOf } from '../../src/planning/migration.ts';
import { migrateRun } from '../../src/runtime/migrate-run.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { parseWorkflow } from '../../src/workflow/validate.ts';
import type { WorkflowDocument } from '../../src/workflow/document.ts';
import type { Workflow } from '../../src/workflow/model.ts';
import { temporaryFolder } from '../journal/support/folder.ts';

const parsed = (document: object): Promise<Workflow> =>
  parseWorkflow(document as WorkflowDocument, { baseDir: '/' });

const task = (says: string, needs: readonly string[] = []): object => ({
  agent: 'sayer',
  needs,
  with: { says },
});

const document = {
  version: 1,
  name: 'letters',
  agents: { sayer: { uses: 'function', module: 'host:say', owns: ['said.*'] } },
  tasks: { a: task('a'), b: task('b', ['a']), c: task('c', ['b']), d: task('d'), e: task('e') },
  groups: { both: { tasks: ['d', 'e'] } },
};

describe('a document that has changed since its run began', () => {
  it('has what changed and all that follows from it done anew, and keeps the rest', async () => {
    const before = await parsed(document);
    const tasks = { ...document.tasks, b: task('B', ['a']) };
    const after = await parsed({ ...document, tasks });
    expect(migrationOf(before, before)).toEqual({
      changed: [],
      reset: [],
      groups: [],
      dropped: [],
    });
    expect(migrationOf(before, after)).toMatchObject({ changed: ['b'], reset: ['b', 'c'] });
    const agents = { sayer: { ...document.agents.sayer, owns: ['said.*', 'more'] } };
    expect(migrationOf(before, await parsed({ ...document, agents })).reset).toHaveLength(5);
    const { e: _, ...fewer } = document.tasks;
    const shrunk = await parsed({ ...document, tasks: fewer, groups: { both: { tasks: ['d'] } } });
    expect(migrationOf(before, shrunk)).toMatchObject({ dropped: ['e'], reset: [] });
    expect(migrationOf(before, shrunk).groups).toEqual(['both']);
  });

  it.each(['succeeded', 'failed'])('is what a run that %s goes on with', async (status) => {
    const dataDir = await temporaryFolder();
    const runs: string[] = [];
    const functions = {
      say: ({ input, memory, task: id }: Parameters<typeof say>[0]) =>
        say({ input, memory, task: id }),
    };
    const say = (call: {
      input: unknown;
      memory: { set: (key: string, value: string) => void };
      task: string;
    }): string => {
      const { says } = call.input as { says: string };
      runs.push(says);
      if (says === 'c' && status === 'failed') throw new Error('not yet');
      call.memory.set(`said.${call.task}`, says);
      return says;
    };
    const open = (): ReturnType<typeof createTroupe> =>
      createTroupe({ dataDir, functions, control: false });
    const troupe = await open();
    const handle = await troupe.run({ ...document, defaults: { retry: 1 } });
    expect((await handle.outcome()).status).toBe(status === 'failed' ? 'failed' : 'succeeded');
    await troupe.close();
    const ran = runs.splice(0);
    expect(ran.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
    const tasks = {
      ...document.tasks,
      b: task('B', ['a']),
      c: task('C', ['b']),
      f: task('f', ['c']),
    };
    const workflow = await parsed({ ...document, defaults: { retry: 1 }, tasks });
    await migrateRun({ dataDir, run: handle.id, workflow, source: 'letters.yaml' });
    const again = await open();
    const report = await (await again.resume(handle.id)).outcome();
    expect(report.status).toBe('succeeded');
    expect(runs).toEqual(['B', 'C', 'f']);
    const records = await again.records(handle.id);
    expect(fold(records).workflow?.hash).toBe(workflow.hash);
    const written = records.filter(({ type }) => type === 'memory.committed');
    expect(JSON.stringify(written.slice(-3))).toMatch(/"B".*"C".*"f"/);
    await again.close();
    const third = await open();
    expect((await third.show(handle.id)).status).toBe('succeeded');
    await third.close();
  });
});
