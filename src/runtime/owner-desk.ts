import type { Bus } from '../bus/bus.ts';
import { TroupeError } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';
import type { JournalStore } from '../journal/journal.ts';
import { askOnBus } from './control/bus-client.ts';
import type { TroupeConfig } from './options.ts';
import type { VerbRequest } from './run-verbs.ts';

/** Finds and asks the processes that own runs, wherever they are. */
export class OwnerDesk {
  private readonly config: Pick<TroupeConfig, 'dataDir' | 'journal'>;
  private readonly store: JournalStore;
  private readonly bus: () => Bus;

  /** @param bus the one that journals are on, if they are on one */
  constructor(config: OwnerDesk['config'], store: JournalStore, bus: () => Bus) {
    this.config = config;
    this.store = store;
    this.bus = bus;
  }

  /** The node that owns the run; undefined: nobody alive. Rejects with TRP_RUN_NOT_FOUND. */
  async ownerOf(run: string): Promise<string | undefined> {
    const stored = (await this.store.list()).find((entry) => entry.run === run);
    if (!stored)
      throw new TroupeError('TRP_RUN_NOT_FOUND', `There is no run ${run}.`, { place: run });
    return stored.owner;
  }

  /** Asks the owner of a run. Rejects with TRP_CONTROL_UNREACHABLE, and with what it refuses. */
  async ask(node: string, request: VerbRequest): Promise<Plain> {
    const { dataDir, journal } = this.config;
    if (journal === 'bus') return askOnBus(this.bus(), request);
    if (dataDir === undefined)
      throw new TroupeError('TRP_CONTROL_UNREACHABLE', 'There is no data folder.');
    const { askControl } = await import('./control/client.ts');
    return askControl({ dataDir, node, ...request });
  }
}
