import type { BusLinkInput } from '../actors/bus-link.ts';
import { TroupeError } from '../core/errors.ts';
import { openBus } from './open-bus.ts';
import { busAway, busAwaited, busBack, leftUnshown } from './bus-notices.ts';
import type { OpenBus } from './open-bus.ts';
import type { TroupeConfig } from './options.ts';
import { removeOldProjections } from './projection/janitor.ts';
import type { RunWindow } from './run-window.ts';
import { WatchedBus } from './watched-bus.ts';

/** Ended runs that may wait for a bus that is away; of more, the oldest are shown no further. */
export const maxFinishing = 256;

/** What opening a bus needs. */
type Config = Pick<TroupeConfig, 'bus' | 'clock' | 'logger' | 'ns' | 'dataDir'>;

/**
 * The buses of one process: its own, and those that documents name where nobody else has said which.
 *
 * Invariant: what was opened here is closed here, once; a bus that was given stays open.
 */
export class BusLinks {
  /** The one that the process was told to use, else the embedded one. */
  readonly main: WatchedBus;
  private readonly config: Config;
  private readonly link: (input: BusLinkInput) => void;
  private readonly opened: OpenBus[] = [];
  /** Ended runs that are still to be shown. */
  private readonly finishing = new Set<RunWindow>();
  /** A stopped actor cannot end its own listening. */
  private readonly listening: (() => void)[] = [];
  private readonly named = new Map<string, Promise<WatchedBus>>();

  constructor(config: Config, main: OpenBus, link: (input: BusLinkInput) => void) {
    this.config = config;
    this.link = link;
    this.opened.push(main);
    this.main = new WatchedBus(main.bus, main.name);
    this.follow(this.main);
  }

  /**
   * The bus of a run: what the process was told, else what the document says. Documents that came with a request may
   * not send the run's data anywhere.
   * Rejects with TRP_WORKFLOW_INVALID, and when the bus cannot be opened.
   */
  async of(choice: string | undefined, isFromFile: boolean): Promise<WatchedBus> {
    if (this.config.bus !== undefined || choice === undefined || choice === 'embedded')
      return this.main;
    if (!isFromFile) throw untrusted();
    const known = this.named.get(choice) ?? this.open(choice);
    this.named.set(choice, known);
    known.catch(() => this.named.delete(choice));
    return known;
  }

  /** Lets the window of a run that has ended show the rest, without anybody waiting for it. */
  finish(window: RunWindow): void {
    this.finishing.add(window);
    void window.finish().finally(() => this.finishing.delete(window));
    const [oldest] = this.finishing;
    if (this.finishing.size <= maxFinishing || !oldest) return;
    this.finishing.delete(oldest);
    void oldest.close();
    leftUnshown(this.config.logger, oldest.run, oldest.busName);
  }

  /** What could not be shown by then is told to the logger. */
  async close(): Promise<void> {
    const { logger } = this.config;
    const away = this.opened.find(
      ({ bus, name }) => bus.state === 'disconnected' && name !== 'given',
    );
    if (away) busAwaited(logger, away.name);
    const windows = [...this.finishing];
    const shown = await Promise.all(windows.map((window) => window.close()));
    await Promise.allSettled(this.named.values());
    for (const stop of this.listening) stop();
    await Promise.all(this.opened.map((open) => open.close()));
    for (const [index, { run, busName }] of windows.entries())
      if (shown[index] === false) leftUnshown(logger, run, busName);
  }

  private async open(choice: string): Promise<WatchedBus> {
    const open = await openBus(choice, this.config);
    this.opened.push(open);
    const watched = new WatchedBus(open.bus, open.name);
    this.follow(watched);
    return watched;
  }

  private follow({ bus, name, isWatched }: WatchedBus): void {
    const { clock, logger } = this.config;
    const linked: BusLinkInput['bus'] = {
      get state() {
        return bus.state;
      },
      onStatus: (listener) => {
        const stop = bus.onStatus(listener);
        this.listening.push(stop);
        return stop;
      },
    };
    this.link({
      name,
      bus: linked,
      onChange: (link, state) => (state === 'connected' ? busBack : busAway)(logger, link),
    });
    if (!isWatched) return;
    removeOldProjections(bus, clock).catch((error: unknown) =>
      logger.debug('old runs stay on the bus', { error: String(error) }),
    );
  }
}

/** Opens the bus that the configuration names. */
export async function mainBus(config: Config): Promise<OpenBus> {
  const { bus = 'embedded' } = config;
  if (typeof bus === 'string') return openBus(bus, config);
  return { bus, name: 'given', close: () => Promise.resolve() };
}

function untrusted(): TroupeError {
  return new TroupeError(
    'TRP_WORKFLOW_INVALID',
    'bus: a document that is no file may name no bus but embedded.',
    { hint: 'Give the bus to the process: createTroupe({ bus }), --bus or TROUPE_BUS.' },
  );
}
