interface Waiting {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait for a revision to become visible. Few at a time: answers and log come close together. */
export class Reached {
  private waiting: readonly Waiting[] = [];

  /** Resolves when that revision, or a later one, is visible. */
  revision(revision: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting = [...this.waiting, { revision, resolve, reject }];
    });
  }

  /** A revision has become visible. */
  at(revision: number): void {
    if (this.waiting.length === 0) return;
    for (const one of this.waiting) if (one.revision <= revision) one.resolve();
    this.waiting = this.waiting.filter((one) => one.revision > revision);
  }

  end(error: unknown): void {
    for (const { reject } of this.waiting) reject(error);
    this.waiting = [];
  }
}
