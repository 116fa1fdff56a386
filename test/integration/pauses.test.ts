import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FailingWorld, objectOf, outcomesOf } from './support/failing-world.ts';
import type { Shown } from './support/failing-world.ts';
import type { Program, ProgramEnd } from './support/program.ts';

let world: FailingWorld;

beforeEach(() => {
  world = new FailingWorld();
});

afterEach(() => world.remove());

/** Runs a document that is paused for `bad`, to where nothing of it runs. */
async function pausedRun(...options: readonly string[]): Promise<ProgramEnd> {
  world.document({
    good: { run: 'quick' },
    bad: { run: 'fails', retry: 1, on_exhausted: 'pause' },
    last: { run: 'quick', needs: ['good', 'bad'] },
  });
  return world.folder.call('run', 'flow.json', ...options);
}

async function pausedId(): Promise<string> {
  const end = await pausedRun('--json', '-q');
  expect(end.code).toBe(3);
  return (objectOf(end) as Shown).run_id;
}

describe('a run that is paused because nothing is left to try', () => {
  it('says so with the verbs and ends with exit code 3', async () => {
    const { code, stdout } = await pausedRun('-q');
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(code).toBe(3);
    expect(text).toContain('nothing is left to try for bad');
    expect(text).toMatch(/troupe retry \S+ bad/);
    expect(text).toMatch(/troupe skip \S+ bad/);
  });

  it('stands as paused in runs and show', async () => {
    const run = await pausedId();
    expect(await world.told('runs')).toMatchObject({ runs: [{ run_id: run, status: 'paused' }] });
    expect(await world.shown(run)).toMatchObject({
      status: 'paused',
      recovery: { paused: { by: 'policy', tasks: ['bad'] } },
    });
  });

  it('goes on with a retry of the task, which takes it over', async () => {
    const run = await pausedId();
    world.folder.write('mended');
    const end = await world.folder.call('retry', run, 'bad', '--json', '-q');
    expect([end.code, objectOf(end)]).toMatchObject([0, { run_id: run, status: 'succeeded' }]);
    expect(world.folder.lines('done')).toEqual(['good', 'bad', 'last']);
  });

  it('goes on without the task that is skipped, when it is resumed', async () => {
    const run = await pausedId();
    expect(await world.told('skip', run, 'bad')).toEqual({
      format: 1,
      run_id: run,
      skipped: 'bad',
    });
    const end = await world.folder.call('resume', run, '--json', '-q');
    expect([end.code, outcomesOf(objectOf(end) as Shown)]).toEqual([
      3,
      { good: 'succeeded', bad: 'skipped', last: 'skipped' },
    ]);
  });

  it('fails what it was paused for when it is resumed as it is', async () => {
    const run = await pausedId();
    const end = await world.folder.call('resume', run, '--json', '-q');
    expect(outcomesOf(objectOf(end) as Shown)).toMatchObject({ good: 'succeeded', bad: 'failed' });
    expect(world.folder.lines('tried')).toEqual(['bad']);
  });

  it('is cancelled without running again', async () => {
    const run = await pausedId();
    expect(await world.told('cancel', run)).toMatchObject({ run_id: run, status: 'cancelled' });
    expect((await world.shown(run)).status).toBe('cancelled');
    expect(world.folder.lines('tried')).toEqual(['bad']);
  });

  it('refuses to try or to skip what does not wait for a word', async () => {
    const run = await pausedId();
    for (const task of ['good', 'nobody']) {
      const end = await world.folder.call('skip', run, task, '--json');
      expect([end.code, objectOf(end)]).toMatchObject([1, { error: { code: 'TRP_TASK_STATE' } }]);
    }
  });
});

/** Starts a run that stands at its gate. */
async function atGate(): Promise<{ readonly program: Program; readonly run: string }> {
  world.document({
    wait: { run: 'gate' },
    second: { run: 'gate', needs: ['wait'] },
    aside: { run: 'quick', needs: ['wait'] },
  });
  const program = world.start('--stay');
  const { run } = await program.event('the gate', ({ type }) => type === 'task.started');
  return { program, run };
}

describe('a run that a person pauses from another process', () => {
  it('lets what runs end, begins nothing, and goes on when a third one resumes it', async () => {
    const { program, run } = await atGate();
    expect(await world.told('pause', run)).toEqual({ format: 1, run_id: run, paused: true });
    world.folder.write('go');
    await program.event('the end of what ran', ({ type }) => type === 'task.succeeded');
    expect(await world.shown(run)).toMatchObject({
      status: 'paused',
      recovery: { paused: { by: 'command line', tasks: [] } },
    });
    expect(world.folder.lines('done')).toEqual(['wait']);
    expect(await world.text('resume', run)).toBe(`resumed  ${run}\n`);
    expect((await program.ended).code).toBe(0);
    expect(world.folder.lines('done').toSorted()).toEqual(['aside', 'second', 'wait']);
  });

  it('lets a waiting task be skipped and refuses one that runs', async () => {
    const { program, run } = await atGate();
    const busy = await world.folder.call('skip', run, 'wait', '--json');
    expect([busy.code, objectOf(busy)]).toMatchObject([1, { error: { code: 'TRP_TASK_STATE' } }]);
    await world.told('skip', run, 'second');
    world.folder.write('go');
    const { code, lines } = await program.ended;
    expect([code, outcomesOf(lines.at(-1) as unknown as Shown)]).toEqual([
      3,
      { wait: 'succeeded', second: 'skipped', aside: 'succeeded' },
    ]);
  });

  it('is still paused when its process was killed, until it is resumed', async () => {
    const { program, run } = await atGate();
    await world.told('pause', run);
    await program.kill();
    world.folder.write('go');
    expect((await world.shown(run)).status).toBe('paused');
    expect(await world.text('runs')).toContain('paused');
    expect(world.folder.lines('done')).toEqual([]);
    const end = await world.folder.call('resume', run, '--json', '-q');
    expect([end.code, objectOf(end)]).toMatchObject([0, { status: 'succeeded' }]);
    expect(world.folder.lines('done').toSorted()).toEqual(['aside', 'second', 'wait']);
  });

  it('is retried in the process that owns it', async () => {
    world.document({
      bad: { run: 'fails', retry: 1, on_exhausted: 'pause' },
      last: { run: 'quick', needs: ['bad'] },
    });
    const program = world.start('--stay');
    const { run } = await program.event('the pause', ({ type }) => type === 'run.paused');
    world.folder.write('mended');
    expect(await world.told('retry', run, 'bad')).toEqual({
      format: 1,
      run_id: run,
      retried: 'bad',
    });
    const { code, lines } = await program.ended;
    expect([code, lines.at(-1)?.['status']]).toEqual([0, 'succeeded']);
  });
});

describe('a run that has ended', () => {
  /** A run of which `bad` has failed, and `aside` has nothing to do with it. */
  async function endedRun(): Promise<string> {
    world.document({
      first: { run: 'quick' },
      aside: { run: 'quick' },
      bad: { run: 'fails', retry: 1, needs: ['first'] },
      last: { run: 'quick', needs: ['bad'] },
    });
    const end = await world.folder.call('run', 'flow.json', '--json', '-q');
    return (objectOf(end) as Shown).run_id;
  }

  it('is gone on with by a retry of a task: it and what its result goes into, and nothing else', async () => {
    const run = await endedRun();
    world.folder.write('mended');
    const end = await world.folder.call('retry', run, 'bad', '--json', '-q');
    expect([end.code, objectOf(end)]).toMatchObject([0, { run_id: run, status: 'succeeded' }]);
    const done = world.folder.lines('done');
    expect(done.slice(0, 2).toSorted()).toEqual(['aside', 'first']);
    expect(done.slice(2)).toEqual(['bad', 'last']);
  });

  it('is forked from a task: a new run that does the task anew and takes over the rest', async () => {
    const run = await endedRun();
    world.folder.write('mended');
    const end = await world.folder.call('fork', run, '--from', 'bad', '--json', '-q');
    const forked = objectOf(end) as Shown;
    expect([end.code, forked.status]).toEqual([0, 'succeeded']);
    expect(forked.run_id).not.toBe(run);
    expect(forked.recovery.forked).toEqual({ run, task: 'bad' });
    expect(world.folder.lines('done').slice(2)).toEqual(['bad', 'last']);
    const before = await world.shown(run);
    expect(outcomesOf(before)).toMatchObject({ bad: 'failed' });
  });

  it('refuses to be paused, skipped and forked from nothing', async () => {
    const run = await endedRun();
    const calls = [
      ['pause', run],
      ['skip', run, 'bad'],
    ];
    for (const call of calls) {
      const end = await world.folder.call(...call, '--json');
      expect([end.code, objectOf(end)]).toMatchObject([1, { error: { code: 'TRP_RUN_ENDED' } }]);
    }
    const fork = await world.folder.call('fork', run, '--from', 'nobody', '--json');
    expect(fork.code).not.toBe(0);
    expect(objectOf(fork)).toMatchObject({ error: { code: expect.stringMatching(/^TRP_/) } });
  });
});
