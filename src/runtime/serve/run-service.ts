import type { PatrolInput, PatrolPort } from '../../actors/patrol.ts';
import type { RunTakerInput } from '../../actors/run-taker.ts';
import { pause } from '../../bus/fenced-append.ts';
import type { Clock } from '../../core/clock.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import type { ServiceMembers } from '../service-members.ts';
import { Adopter } from './adopter.ts';
import type { AdopterOptions } from './adopter.ts';
import { Pruner } from './pruner.ts';
import type { PrunerOptions } from './pruner.ts';
import { RunQueuePort } from './run-queue-port.ts';
import type { RunQueueOptions } from './run-queue-port.ts';

/** What a service is made from. */
export interface RunServiceOptions
  extends
    Omit<RunQueueOptions, 'hasRoom'>,
    Omit<AdopterOptions, 'hasRoom' | 'random'>,
    Omit<PrunerOptions, 'retainMs' | 'random'> {
  readonly clock: Clock;
  readonly node: string;
  readonly takeRuns: number;
  readonly adopts: boolean;
  /** Runs that ended longer ago are removed, in milliseconds; undefined: none. */
  readonly retainMs: number | undefined;
  /** Outcomes of the runs that are here now; they settle when the runs have gone. */
  readonly running: () => readonly Promise<unknown>[];
  /** Where what serves lives. */
  readonly members: ServiceMembers;
}

/** What a process does for runs that others have submitted or left behind; does nothing when neither was asked for. */
export class RunService {
  private readonly options: RunServiceOptions;
  private readonly ends: (() => Promise<void>)[] = [];
  private stopping: Promise<void> | undefined;

  /** Begins at once. */
  constructor(options: RunServiceOptions) {
    this.options = options;
    const { adopts, node, retainMs, running, takeRuns } = options;
    const maxRuns = takeRuns === 0 ? Infinity : takeRuns;
    const hasRoom = (): boolean => running().length < maxRuns;
    const random = seededRandom(seedOf(node));
    if (takeRuns > 0) {
      const port = new RunQueuePort({ ...options, hasRoom });
      this.begin('run_taker', 'run_taker', { port });
    }
    if (adopts) this.patrol('adopter', new Adopter({ ...options, hasRoom, random }));
    if (retainMs !== undefined) this.patrol('pruner', new Pruner({ ...options, retainMs, random }));
  }

  /** Resolves when nothing is taken any more. */
  stop(): Promise<void> {
    this.stopping ??= Promise.all(this.ends.map((end) => end())).then(() => undefined);
    return this.stopping;
  }

  /** Stops, and waits for the runs that are here, at most so long. */
  async drain(withinMs: number): Promise<void> {
    const { clock, running } = this.options;
    await this.stop();
    const limit = new AbortController();
    await Promise.race([
      Promise.allSettled(running()),
      pause({ clock, signal: limit.signal }, withinMs),
    ]);
    limit.abort();
  }

  private patrol(id: string, port: PatrolPort): void {
    this.begin(id, 'patrol', { port });
  }

  private begin(
    id: string,
    src: 'run_taker' | 'patrol',
    parts: Pick<RunTakerInput, 'port'> | Pick<PatrolInput, 'port'>,
  ): void {
    const { members } = this.options;
    let onStopped = (): void => undefined;
    const stopped = new Promise<void>((resolve) => (onStopped = resolve));
    members.begin({ id, src, input: { ...parts, onStopped: () => onStopped() } });
    this.ends.push(async () => {
      if (members.tell(id, { type: 'service.stop' })) await stopped;
      members.drop(id);
    });
  }
}
