import { createRoot } from '../actors/xstate.ts';
import type { Clock } from '../core/clock.ts';
import type { Deadlines } from '../core/deadlines.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { seededRandom, seedOf } from '../core/random.ts';
import { rootMachine } from '../supervisors/root.ts';
import type { RootInput } from '../supervisors/root.ts';
import type { Parts } from './parts.ts';
import type { RunDoor } from './run-door.ts';

/** What the supervision tree of a process is grown from. */
export interface TreeOptions extends Pick<RootInput, 'governor' | 'monitor'> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlines: Deadlines;
  /** Hears which part stands and which is down. */
  readonly parts: Parts;
  /** Closed when restarts are over for good. */
  readonly runs: RunDoor;
}

/** Starts the root actor of a process; the function returned stops it with everything below it. */
export function growTree(options: TreeOptions): () => void {
  const { clock, logger, deadlines, parts, runs, governor, monitor } = options;
  const report = (id: string, error: unknown): void =>
    logger.error('an actor died of an error', { actor: id, error: messageOf(error) });
  const root = createRoot(rootMachine, {
    id: 'root',
    input: {
      clock,
      deadlines,
      random: seededRandom(seedOf('restarts', clock.now())),
      governor,
      monitor,
      onStarted: (id, part) => parts.started(id, part),
      onGone: (id) => parts.gone(id),
      onFault: report,
      onLost: (error) => {
        report('root', error);
        runs.close(error);
      },
    },
    clock,
    logger,
    onFault: (error) => report('root', error),
  });
  root.start();
  return () => root.send({ type: 'root.stop' });
}
