import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/core/duration.ts';
import { parseBytes } from '../../src/workflow/bytes.ts';
import { parseWorkflow } from '../../src/workflow/validate.ts';
import { Page } from './page.ts';

const page = new Page('docs/workflow.md');
const written = (block: string, key: string): string => page.lastCell(block, key);
const writtenMs = (block: string, key: string): number | undefined =>
  parseDuration(written(block, key));

describe('the defaults that docs/workflow.md names', async () => {
  const { tasks, agents, groups, resources } = await parseWorkflow({
    tasks: { a: { uses: 'simulate' } },
    groups: { g: { tasks: ['a'] } },
  });

  it('are those of a retry', () => {
    const [task] = tasks;
    expect(task?.retry).toEqual({
      maxAttempts: Number(written('retry', 'max_attempts')),
      backoff: written('retry', 'backoff'),
      initialMs: writtenMs('retry', 'initial'),
      maxMs: writtenMs('retry', 'max'),
      jitter: Number(written('retry', 'jitter')),
    });
    expect(written('task', 'max_rounds')).toContain(`Default ${task?.maxRounds}`);
  });

  it('are those of an agent', () => {
    expect(agents['a']?.limits).toEqual({
      maxOutputBytes: parseBytes(written('agent_limits', 'max_output')),
      maxMemoryMb: (parseBytes(written('agent_limits', 'max_memory')) ?? 0) / 1024 ** 2,
      killAfterMs: writtenMs('agent_limits', 'kill_after'),
    });
  });

  it('are those of a barrier', () => {
    const [group] = groups;
    expect(group?.barrier).toEqual({
      type: written('barrier', 'type'),
      minSuccess: {
        share: written('barrier', 'min_success') === 'expected or quorum, else all' ? 1 : 0,
      },
      required: [],
      onTimeout: [written('barrier', 'on_timeout')],
      onFailure: written('barrier', 'on_failure'),
      extension: { byMs: writtenMs('extension', 'by'), max: Number(written('extension', 'max')) },
    });
  });

  it('are those of the resources', () => {
    expect(resources.capacity).toEqual({
      cpu: Number(written('resources', 'cpu')),
      memory: Number(written('resources', 'memory')),
    });
  });
});
