import { fencedError } from './journal-writer.js';
/** A run of this process in the file journal. */
export class FileOwnedRun {
  run;
  epoch;
  records;
  checkpoint;
  acked;
  kept;
  writer;
  onRelease;
  open = true;
  releasing;
  constructor(writer, ownership) {
    this.writer = writer;
    this.run = ownership.run;
    this.epoch = ownership.epoch;
    this.records = ownership.records;
    this.checkpoint = ownership.checkpoint;
    this.kept = ownership.keep;
    this.onRelease = ownership.release;
  }
  append(records, durable) {
    if (this.open) return this.writer.append(this, records, durable);
    // An empty append keeps the order of answers: it is refused after those that came before.
    this.writer.append(this, [], () => durable(fencedError(this)));
  }
  async keep(checkpoint) {
    const last = this.acked ?? this.records.at(-1)?.seq ?? this.checkpoint?.state.seq;
    // One that is older than what was acknowledged has no place from which on the rest is surely found.
    if (!this.open || checkpoint.seq !== last) return;
    await this.kept(checkpoint, this.writer.place).catch(() => undefined);
  }
  /** This process took the run again: the older handle is of no more use. */
  fence() {
    this.open = false;
  }
  release() {
    this.releasing ??= this.giveUp();
    return this.releasing;
  }
  async giveUp() {
    this.open = false;
    await this.writer.settled();
    await this.onRelease(this);
  }
}
