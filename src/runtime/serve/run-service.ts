import { pause } from '../../bus/fenced-append.ts';
import { seededRandom, seedOf } from '../../core/random.ts';
import { Adopter } from './adopter.ts';
import type { AdopterOptions } from './adopter.ts';
import { RunTaker } from './run-taker.ts';
import type { RunTakerOptions } from './run-taker.ts';

/** What a service is made from. */
export interface RunServiceOptions
  extends
    Omit<RunTakerOptions, 'maxRuns' | 'live'>,
    Omit<AdopterOptions, 'maxRuns' | 'live' | 'random'> {
  readonly node: string;
  readonly takeRuns: number;
  readonly adopts: boolean;
  /** Outcomes of the runs that are here now; they settle when the runs have gone. */
  readonly running: () => readonly Promise<unknown>[];
}

/** What a process does for runs that others have submitted or left behind; does nothing when neither was asked for. */
export class RunService {
  private readonly options: RunServiceOptions;
  private readonly taker: RunTaker | undefined;
  private readonly adopter: Adopter | undefined;
  private stopping: Promise<void> | undefined;

  /** Begins at once. */
  constructor(options: RunServiceOptions) {
    this.options = options;
    const { adopts, node, running, takeRuns } = options;
    const live = (): number => running().length;
    const maxRuns = takeRuns === 0 ? Infinity : takeRuns;
    if (takeRuns > 0) this.taker = new RunTaker({ ...options, live, maxRuns });
    if (adopts)
      this.adopter = new Adopter({ ...options, live, maxRuns, random: seededRandom(seedOf(node)) });
  }

  /** Resolves when nothing is taken any more. */
  stop(): Promise<void> {
    this.stopping ??= Promise.all([this.taker?.stop(), this.adopter?.stop()]).then(() => undefined);
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
}
