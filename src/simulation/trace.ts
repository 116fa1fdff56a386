import { createHash } from 'node:crypto';

/**
 * What happened in a simulated world, line by line, under names that do not change between processes that
 * carry the same seed out: actors by their path, never by a session id.
 */
export class Trace {
  private readonly kept: string[] = [];
  private readonly digest = createHash('sha256');
  private readonly now: () => number;

  /** @param now time of the world in milliseconds */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Lines in the order in which they happened. */
  get lines(): readonly string[] {
    return this.kept;
  }

  /** @param actor path of whom it happened to, as `p1/run-0/task` */
  add(actor: string, what: string): void {
    const line = `${this.now()} ${actor} ${what}`;
    this.digest.update(`${line}\n`);
    this.kept.push(line);
  }

  /** SHA-256 of everything so far, in lower-case hex. */
  hash(): string {
    return this.digest.copy().digest('hex');
  }
}
