import { TroupeError } from '../../../core/errors.ts';

/** Most ids that are remembered. */
const maxRemembered = 10_000;

/** Ids of items whose adding failed without it being known whether they were added. The oldest are forgotten. */
export class UnsureAdds {
  private readonly ids = new Set<string>();

  has(id: string): boolean {
    return this.ids.has(id);
  }

  /** Adds an item and remembers its id for as long as its fate is open. */
  async watch<T>(id: string, add: () => Promise<T>): Promise<T> {
    try {
      const added = await add();
      this.ids.delete(id);
      return added;
    } catch (error) {
      if (isUnsure(error)) this.remember(id);
      throw error;
    }
  }

  private remember(id: string): void {
    this.ids.add(id);
    for (const oldest of this.ids) {
      if (this.ids.size <= maxRemembered) return;
      this.ids.delete(oldest);
    }
  }
}

function isUnsure(error: unknown): boolean {
  return (
    error instanceof TroupeError &&
    (error.code === 'TRP_BUS_DISCONNECTED' || error.code === 'TRP_BUS_TIMEOUT')
  );
}
