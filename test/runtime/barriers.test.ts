import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { RunEvent, RunHandle, Troupe } from '../../src/runtime/api.ts';
import { createTroupe } from '../../src/runtime/troupe.ts';
import { eventually } from '../support/eventually.ts';

/** A member that ends when it is told to. */
class Gate {
  private open: () => void = () => undefined;
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));

  release(): void {
    this.open();
  }

  async pass(): Promise<string> {
    await this.opened;
    return 'held';
  }
}

describe('a group of a live run', () => {
  let troupe: Troupe;
  let gate: Gate;
  beforeEach(async () => {
    gate = new Gate();
    troupe = await createTroupe({ functions: { quick: () => 'quick', held: () => gate.pass() } });
  });
  afterEach(async () => {
    gate.release();
    await troupe.close();
  });

  function begin(group: object, rest: object = {}): Promise<RunHandle> {
    return troupe.run({
      version: 1,
      agents: {
        quick: { uses: 'function', module: 'host:quick' },
        held: { uses: 'function', module: 'host:held' },
      },
      tasks: { a: { agent: 'quick' }, b: { agent: 'held' }, ...rest },
      groups: { g: { tasks: ['a', 'b'], ...group } },
    });
  }

  async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    for await (const event of run.events()) events.push(event);
    return events;
  }

  it('shows what it has merged so far, its revision and its phase', async () => {
    const run = await begin({ mode: 'async_merge' });
    await eventually('the first result is merged', () => {
      return run.report().groups[0]?.merged?.revision === 1;
    });
    expect(run.report().groups[0]).toMatchObject({
      phase: 'monitoring',
      merged: { revision: 1, output: ['quick', null] },
    });
    gate.release();
    expect((await run.outcome()).groups[0]).toMatchObject({
      phase: 'ended',
      merged: { revision: 2, output: ['quick', 'held'] },
    });
  });

  it('tells on events which phase it has come into', async () => {
    const run = await begin({});
    const events = eventsOf(run);
    gate.release();
    const phases = (await events).flatMap((event) => ('phase' in event ? [event.phase] : []));
    expect(phases.slice(-2)).toEqual(['synchronization', 'ended']);
  });

  it('publishes an alert when its time is over and somebody asked for it', async () => {
    const heard: unknown[] = [];
    troupe.bus.subscribe(`troupe.v1.${troupe.bus.ns}.alert.>`, ({ subject, payload }) => {
      heard.push([subject, payload]);
    });
    const barrier = { min_success: 1, timeout: '20ms', notify: 'operators' };
    const run = await begin({ barrier });
    await run.outcome();
    await eventually('the alert is heard', () => heard.length > 0);
    expect(heard).toMatchObject([
      ['troupe.v1.default.alert.barrier', { run: run.id, group: 'g', to: 'operators' }],
    ]);
  });

  it('merges a late member and shows it in the report', async () => {
    const barrier = { min_success: 1, timeout: '20ms', late: 'merge' };
    const run = await begin({ barrier }, { heir: { agent: 'quick', needs: ['b'] } });
    await eventually('the group goes on', () => run.report().groups[0]?.phase === 'ended');
    expect(run.report().groups[0]?.late).toEqual([]);
    gate.release();
    const report = await run.outcome();
    expect(report.groups[0]).toMatchObject({
      outcome: 'partial',
      late: ['b'],
      census: { late: 1 },
    });
    expect(report.tasks.map(({ outcome }) => outcome)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
  });
});
