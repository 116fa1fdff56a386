import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resume } from '../../src/cli/commands/resume.ts';
import { removeRuns } from '../../src/cli/commands/prune.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { temporaryFolder } from '../journal/support/folder.ts';
import { FakeShell } from './support/fake-shell.ts';

const textOf = (second: string): string => `version: 1
name: changing
tasks:
  first: { uses: command, command: [echo, '{"type":"result","output":1}'] }
  second: { uses: command, command: [${second}], needs: [first], retry: 1 }
`;

/** A run that has failed at its second task, and a shell beside its file. */
async function failedRun(): Promise<{ shell: FakeShell; run: string; file: string }> {
  const cwd = await temporaryFolder();
  const file = join(cwd, 'workflow.yaml');
  await writeFile(file, textOf('"false"'));
  const troupe = await createTroupe({ dataDir: join(cwd, '.troupe'), control: false });
  const handle = await troupe.run(file);
  expect((await handle.outcome()).status).toBe('failed');
  await troupe.close();
  return { shell: new FakeShell({ cwd, openTroupe: createTroupe }), run: handle.id, file };
}

describe('troupe resume, when the document has changed', () => {
  it('goes on with the one that the run began with, and says so', async () => {
    const { shell, run, file } = await failedRun();
    await writeFile(file, textOf('"true"'));
    expect(await resume(shell, run, { quiet: true })).toBe(1);
    expect(shell.stderr).toMatch(/workflow\.yaml has changed since: .*--accept-changes/);
  });

  it('refuses with --strict, and names what has changed', async () => {
    const { shell, run, file } = await failedRun();
    await writeFile(file, textOf('"true"'));
    await expect(resume(shell, run, { strict: true })).rejects.toMatchObject({
      code: 'TRP_RUN_CHANGED',
      message: expect.stringContaining('workflow.yaml'),
    });
  });

  it('refuses --accept-changes with journals on the bus, and says what to do', async () => {
    const { shell, run } = await failedRun();
    const refused = resume(shell, run, { acceptChanges: true, journal: 'bus' });
    await expect(refused).rejects.toMatchObject({
      code: 'TRP_OPTION_INVALID',
      message: expect.stringContaining('--accept-changes'),
    });
  });

  it('takes it up with --accept-changes, and does only what has changed', async () => {
    const { shell, run, file } = await failedRun();
    await writeFile(file, textOf(`echo, '{"type":"result","output":2}'`));
    expect(await resume(shell, run, { acceptChanges: true, quiet: true })).toBe(0);
    expect(shell.stderr).toContain('1 tasks are new or have changed');
    const troupe = await createTroupe({ dataDir: join(shell.cwd, '.troupe'), control: false });
    const records = await troupe.records(run);
    await troupe.close();
    const started = records.filter(({ type }) => type === 'task.started');
    expect(started.map((record) => ('task' in record ? record.task : ''))).toEqual([
      'first',
      'second',
      'second',
    ]);
  });
});

describe('troupe runs --delete and --prune', () => {
  it('say what they would delete, and do not both work at one time', async () => {
    const { shell, run } = await failedRun();
    expect(await removeRuns(shell, { prune: true, dryRun: true })).toBe(0);
    expect(shell.stdout).toBe(`would delete  ${run}\n`);
    const both = removeRuns(shell, { prune: true, delete: run });
    await expect(both).rejects.toMatchObject({ code: 'TRP_OPTION_INVALID' });
  });
});
