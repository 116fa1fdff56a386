const nothing = (): void => undefined;
const time = { clock: { now: () => 0 }, deadlines: { at: () => ({ cancel: nothing }) } };

let answers = 0;

/** Yes and no by turns, in pairs, so that each answer meets each state. */
const byTurns = (): boolean => answers++ % 3 !== 2;

/** What the machines that serve runs of others are walked with. */
export const servingSamples = {
  run_taker: {
    input: {
      ...time,
      port: { pull: nothing, settle: nothing, hasRoom: byTurns },
      onStopped: nothing,
    },
    events: [
      { type: 'run.pulled', item: {} },
      { type: 'none.pulled' },
      { type: 'pull.failed' },
      { type: 'run.settled' },
      { type: 'look.due' },
      { type: 'service.stop' },
    ],
  },
  patrol: {
    input: {
      ...time,
      port: { find: nothing, handle: nothing, hasRoom: () => true, restMs: () => 1 },
      onStopped: nothing,
    },
    events: [
      { type: 'runs.found', runs: [] },
      { type: 'runs.found', runs: ['a', 'b'] },
      { type: 'look.failed' },
      { type: 'run.handled' },
      { type: 'look.due' },
      { type: 'service.stop' },
    ],
  },
};
