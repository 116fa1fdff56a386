import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FailingWorld, objectOf, outcomesOf } from './support/failing-world.ts';
import type { Shown } from './support/failing-world.ts';
import type { Program } from './support/program.ts';

let world: FailingWorld;

beforeEach(() => {
  world = new FailingWorld();
  world.document({
    ask: {
      run: 'fails',
      retry: 1,
      default: 'stands in',
      escalation: [{ rung: 'person', deadline: '1h', default: 'skip' }],
    },
    last: { run: 'quick', needs: ['ask'] },
  });
});

afterEach(() => world.remove());

interface Asked {
  readonly program: Program;
  readonly run: string;
  readonly question: number;
}

/** Starts the run and waits until it has asked. */
async function asked(): Promise<Asked> {
  const program = world.start();
  const { run } = await program.event('its question', ({ type }) => type === 'task.parked');
  const [question] = (await world.shown(run)).recovery.questions;
  return { program, run, question: question?.id ?? 0 };
}

describe('a run that asks a person', () => {
  it('is shown by another process with deadline, default, choices and the command that answers', async () => {
    const { run, question } = await asked();
    const { recovery, status } = await world.shown(run);
    expect(status).toBe('running');
    const choices = ['retry', 'skip', 'use_default', 'fail', 'value', 'cancel'];
    expect(recovery.questions).toMatchObject([{ id: question, task: 'ask', default: 'skip' }]);
    const [asking] = recovery.questions;
    expect(asking?.choices.toSorted()).toEqual(choices.toSorted());
    const text = (await world.text('show', run)).replaceAll(/\s+/g, ' ');
    expect(text).toContain(`question ${question}: ask has failed (no luck)`);
    expect(text).toContain(`at ${asking?.deadline}: skip`);
    expect(text).toContain(`troupe answer ${run} ${question} retry`);
  });

  it.each([
    ['retry', 0, { ask: 'succeeded', last: 'succeeded' }],
    ['skip', 3, { ask: 'skipped', last: 'skipped' }],
    ['use_default', 3, { ask: 'failed', last: 'succeeded' }],
    ['fail', 3, { ask: 'failed', last: 'succeeded' }],
    ['cancel', 4, { ask: 'cancelled', last: 'cancelled' }],
  ])('goes on with the answer %s from another process', async (choice, code, outcomes) => {
    const { program, run, question } = await asked();
    if (choice === 'retry') world.folder.write('mended');
    const answer = await world.told('answer', run, String(question), choice, '--note', 'so be it');
    expect(answer).toEqual({ format: 1, run_id: run, question, choice });
    const end = await program.ended;
    expect([end.code, outcomesOf(end.lines.at(-1) as unknown as Shown)]).toEqual([code, outcomes]);
    const word = end.lines.find(({ type }) => type === 'escalation.answered');
    expect(word).toMatchObject({ choice, by: 'command line', note: 'so be it' });
  });

  it('takes the output of the task from another process', async () => {
    const { program, run, question } = await asked();
    const answer = await world.told('answer', run, String(question), '--value', '{"a":1}');
    expect(answer).toEqual({ format: 1, run_id: run, question, choice: 'value' });
    const { code, lines } = await program.ended;
    const given = lines.find(({ task, type }) => type === 'task.succeeded' && task === 'ask');
    expect([code, given?.['output']]).toEqual([0, { a: 1 }]);
  });

  it('refuses a question that it has not asked and one that was answered', async () => {
    const { program, run, question } = await asked();
    const unknown = await world.folder.call('answer', run, '7777', 'skip', '--json');
    expect([unknown.code, objectOf(unknown)]).toMatchObject([
      1,
      { error: { code: 'TRP_QUESTION_UNKNOWN' } },
    ]);
    const value = await world.folder.call('answer', run, '7777', '--value', '1', '--json');
    expect(objectOf(value)).toMatchObject({ error: { code: 'TRP_QUESTION_UNKNOWN' } });
    await world.told('answer', run, String(question), 'skip');
    await program.ended;
    const late = await world.folder.call('answer', run, String(question), 'skip', '--json');
    expect([late.code, objectOf(late)]).toMatchObject([1, { error: { code: 'TRP_RUN_ENDED' } }]);
  });
});

describe('a run that asks and that nobody owns', () => {
  it('is answered in its journal, of which nothing runs, and goes on when it is resumed', async () => {
    const { program, run, question } = await asked();
    await program.kill();
    world.folder.write('mended');
    const text = await world.text('answer', run, String(question), 'retry');
    expect(text).toContain(`answered  ${question}  retry`);
    expect(text).toContain(`troupe resume ${run}`);
    expect(world.folder.lines('tried')).toEqual(['ask']);
    const resumed = await world.folder.call('resume', run, '--json', '-q');
    expect([resumed.code, outcomesOf(objectOf(resumed) as Shown)]).toEqual([
      0,
      { ask: 'succeeded', last: 'succeeded' },
    ]);
    expect(world.folder.lines('tried')).toEqual(['ask', 'ask']);
  });

  it('asks again when it is resumed without an answer, with the same number and deadline', async () => {
    const { program, run } = await asked();
    const { questions } = (await world.shown(run)).recovery;
    await program.kill();
    const resumed = world.folder.start(['resume', run, '--jsonl', '-q']);
    await world.status(run, 'running');
    expect((await world.shown(run)).recovery.questions).toEqual(questions);
    await world.told('answer', run, String(questions[0]?.id), 'skip');
    expect((await resumed.ended).code).toBe(3);
  });

  it('is on its way to its end when the answer is cancel', async () => {
    const { program, run, question } = await asked();
    await program.kill();
    await world.told('answer', run, String(question), 'cancel');
    const { status } = await world.shown(run);
    expect(['cancelled', 'cancelling', 'interrupted', 'running']).toContain(status);
    expect(world.folder.lines('tried')).toEqual(['ask']);
  });
});
