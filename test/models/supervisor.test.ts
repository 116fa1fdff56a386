import { getShortestPaths } from '@xstate/graph';
import { describe, expect, it } from 'vitest';

import type { ChildSpec } from '../../src/actors/supervised-children.ts';
import { allMachines } from '../../src/supervisors/machines.ts';
import { Supervised, part } from '../actors/supervised.ts';

const events = [
  'child.died',
  'restart.due',
  'shutdown.due',
  'restarts.exhausted',
  'supervisor.stop',
  'children.gone',
] as const;
type Happening = (typeof events)[number];

const machine = allMachines()['supervisor'];
if (!machine) throw new Error('there is no chart of a supervisor');

/** Shorter than the backoff, so that who lingers is killed before anything is started again. */
const shutdownMs = 100;

/** A child that is asked to end lingers, so that every phase can be seen. */
function lingering(id: string): ChildSpec {
  return { id, logic: part(), restart: 'permanent', ask: { type: 'linger' }, shutdownMs };
}

function stepWhile(tree: Supervised, phase: string): void {
  while (tree.snapshot.value === phase && tree.step()) continue;
}

/** The second takes the third with it; the first is then still one whose death is decided about. */
function die(tree: Supervised): void {
  const { living, snapshot } = tree;
  tree.tell(living[snapshot.value === 'running' ? 1 : 0] ?? '', 'die');
}

/** Has it happen to a supervisor that lives. */
const happen: Readonly<Record<Happening, (tree: Supervised) => void>> = {
  'child.died': die,
  // The restarts that are allowed are those that the path has had.
  'restarts.exhausted': die,
  'supervisor.stop': (tree) => tree.stop(),
  'shutdown.due': (tree) => void tree.step(),
  'restart.due': (tree) => stepWhile(tree, 'restarting'),
  'children.gone': (tree) => stepWhile(tree, String(tree.snapshot.value)),
};

interface Replay {
  readonly title: string;
  readonly steps: readonly Happening[];
  /** Where the chart stands before the first step, and after each. */
  readonly phases: readonly string[];
}

/** The shortest path to every state of the chart, with every event that the state takes after it. */
function replays(): Replay[] {
  const all = events.map((type) => ({ type }));
  return getShortestPaths(machine as never, { events: all as never }).flatMap(
    ({ state, steps }) => {
      const before = steps
        .map(({ event }) => (event as { type: string }).type)
        .filter((type) => type !== 'xstate.init');
      const here = [...steps.map((step) => valueOf(step.state)), valueOf(state)];
      const phases = here.filter((value, index) => index === 0 || value !== here[index - 1]);
      return takenIn(valueOf(state)).map(([event, target]) => ({
        title: [...before, event].join(', '),
        steps: [...before, event] as Happening[],
        phases: [...phases, target],
      }));
    },
  );
}

function valueOf(state: unknown): string {
  return String((state as { value: unknown }).value);
}

/** The events that a state of the chart takes, and where each leads. */
function takenIn(state: string): [event: string, target: string][] {
  const on = machine?.states[state]?.config.on ?? {};
  return Object.entries(on as Record<string, string | { target?: string }>).map(([event, to]) => [
    event,
    typeof to === 'string' ? to : (to.target ?? state),
  ]);
}

describe('the chart of a supervisor', () => {
  const all = replays();

  it('has a replay for every step that it takes', () => {
    const steps = ['running', 'restarting', 'stopping', 'escalating'].flatMap((state) =>
      takenIn(state),
    );
    expect(all).toHaveLength(steps.length);
    expect(steps).toHaveLength(12);
  });

  it.each(all)('is what a live one does: $title', ({ steps, phases }) => {
    const maxRestarts = steps.filter((step) => step === 'child.died').length;
    const tree = new Supervised(['a', 'b', 'c'].map(lingering), {
      strategy: 'rest_for_one',
      maxRestarts,
    });
    const seen = [String(tree.snapshot.value)];
    for (const step of steps) {
      happen[step](tree);
      seen.push(String(tree.snapshot.value));
    }
    expect(seen).toEqual(phases);
    expect(tree.census === 0).toBe(['stopped', 'escalated'].includes(seen.at(-1) ?? ''));
  });
});
