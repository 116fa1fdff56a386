import { afterEach, beforeEach, expect, it } from 'vitest';
import { join } from 'node:path';
import { createTroupe } from '../../src/runtime/troupe.ts';
import type { Troupe } from '../../src/runtime/api.ts';
import { eventually } from '../support/eventually.ts';
import { ServedWorld } from './support/served-world.ts';

let world: ServedWorld;
let watcher: Troupe;

beforeEach(async () => {
  world = new ServedWorld();
  watcher = await createTroupe({ dataDir: join(world.folder, 'data'), control: false });
});
afterEach(async () => {
  await watcher.close();
  await world.remove();
});

it('a process that serves a data folder carries on with the run of one that was killed, and with no ended one', async () => {
  const ended = await world.call('run', world.flow, '--json', '--data', 'data', '-i', 'ms=1');
  expect(ended.code).toBe(0);
  const first = world.start(['run', world.gated, '--data', 'data', '-q']);
  await eventually('it stands at its gate', () =>
    world.effects().some(({ task }) => task === 'gate'),
  );
  await first.kill('SIGKILL');
  world.start(['serve', '--data', 'data']);
  world.open();
  await eventually('all runs have succeeded', async () => {
    const runs = await watcher.runs();
    return runs.length === 2 && runs.every(({ status }) => status === 'succeeded');
  });
  expect(world.effects().filter(({ task }) => task === 'before')).toHaveLength(1);
}, 120_000);
