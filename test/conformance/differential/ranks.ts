/**
 * Sequence numbers of one log, or revisions of one bucket, by their rank: what two buses number differently is
 * the same when it came in the same order.
 */
export class Ranks {
  private readonly numbers: number[] = [];

  /** The rank of a number; one that is new must be larger than all before. */
  of(number: number): number {
    const index = this.numbers.indexOf(number);
    if (index !== -1) return index + 1;
    const last = this.numbers.at(-1) ?? 0;
    if (number <= last) throw new Error(`The number ${number} came after ${last}.`);
    return this.numbers.push(number);
  }

  /** 0 or a number that was seen, chosen by any natural number. */
  known(which: number): number {
    return [0, ...this.numbers][which % (this.numbers.length + 1)] ?? 0;
  }

  /** As {@link known}, or the one behind the last. */
  numberAt(which: number): number {
    const numbers = [0, ...this.numbers, (this.numbers.at(-1) ?? 0) + 1];
    return numbers[which % numbers.length] ?? 0;
  }

  /** The number that was seen before this one; 0 where there is none. */
  numberBefore(number: number): number {
    return this.numbers.findLast((each) => each < number) ?? 0;
  }
}
