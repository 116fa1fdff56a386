import { afterEach, describe, expect, it } from 'vitest';
import type { TaskFunction } from '../../../src/actors/behaviours/behaviour.ts';
import { remoteTask, Stage } from './worker-kit.ts';

const stage = new Stage();
afterEach(() => stage.end());

const echo: TaskFunction = ({ input, memory }) => {
  memory.set('a.seen', input);
  return { got: input };
};

describe('a task whose pool is on worker hosts', () => {
  it('is carried out by a host, and its output and its memory come back', async () => {
    const bus = stage.bus();
    const troupe = await stage.troupe({ bus });
    await stage.worker({ bus, pools: ['gpu'], functions: { work: echo } });
    const handle = await troupe.run(remoteTask({ with: { n: 1 } }));
    const report = await handle.outcome();
    expect(report.outcome).toBe('succeeded');
    expect(report.outputs).toEqual({ t: { got: { n: 1 } } });
  });
});
