import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createBehaviours } from '../../../src/actors/behaviours/registry.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { agentOf, failureOf, fixtures, isAlive, run, start } from './attempt-kit.ts';
import type { AttemptInput } from './attempt-kit.ts';
import { expectNoLeftovers } from './leftovers.ts';

expectNoLeftovers();

const { PATH = '' } = process.env;
const behaviours = createBehaviours({
  clock: systemClock,
  functions: { greet: () => 'hello' },
  environment: { PATH },
});
afterEach(() => behaviours.close());

function outputOf(agent: NonNullable<AttemptInput['agent']>, simulate = false) {
  return run(behaviours.for(agentOf(agent), { simulate }), { agent, estimateMs: 1 });
}

it('chooses by what the agent uses and how it is isolated', async () => {
  const module = join(fixtures, 'functions.mjs');
  const counting = { module, export: 'count' } as const;
  const command = [process.execPath, join(fixtures, 'program.mjs'), 'print', '"printed"'];
  expect((await outputOf({ module: 'host:greet' })).output).toBe('hello');
  expect((await outputOf({ uses: 'command', command })).output).toBe('printed');
  expect((await outputOf({ uses: 'simulate', with: { output: 'played' } })).output).toBe('played');
  for (const isolate of ['inline', 'thread', 'process'] as const) {
    expect((await outputOf({ ...counting, isolate })).output).toBe(1);
  }
  expect((await outputOf({ ...counting, isolate: 'thread' })).output).toBe(2);
  expect((await outputOf({ ...counting, isolate: 'process' })).output).toBe(1);
});

it('gives the simulation instead when that is asked for', async () => {
  expect(await outputOf({ module: 'host:absent' }, true)).toEqual({ output: null, changes: [] });
  expect((await failureOf(outputOf({ module: 'host:absent' }))).code).toBe('TRP_WORKFLOW_MODULE');
});

it('starts nothing outside of this thread when it is closed', async () => {
  const closed = createBehaviours({ clock: systemClock, closed: true });
  const command = { uses: 'command', command: ['/nowhere'] } as const;
  const thread = { module: '/nowhere.mjs', isolate: 'thread' } as const;
  for (const agent of [command, thread])
    expect((await run(closed.for(agentOf(agent)), { agent, estimateMs: 1 })).output).toBe(null);
  await closed.close();
});

it('waits at its close for the children of attempts that were aborted', async () => {
  const command = [process.execPath, join(fixtures, 'program.mjs'), 'deaf'];
  const agent = { uses: 'command' as const, command };
  const attempt = start(behaviours.for(agentOf(agent)), { agent });
  await eventually('the program reports', () => attempt.port.reports.length > 0);
  const pid = Number(attempt.port.reports[0]?.message?.split(' ')[1]);
  attempt.port.abort();
  await behaviours.close();
  expect(isAlive(pid)).toBe(false);
});

it('has one behaviour per way of working', () => {
  const [first, second] = [agentOf({ id: 'a' }), agentOf({ id: 'b' })];
  expect(behaviours.for(first)).toBe(behaviours.for(second));
  expect(behaviours.for(first)).not.toBe(behaviours.for(agentOf({ isolate: 'thread' })));
});
