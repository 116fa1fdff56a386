/** Losses after which an operation is not tried again, unless the document says otherwise. */
const defaultQuarantineAfter = 3;

/**
 * Whether an operation is to be left alone: it has taken whatever carried it out down with it too often, be it
 * a thread, a process, a worker host or the whole of Troupe.
 * @param lost times that its carrier died under it
 * @param after times that it takes; undefined: {@link defaultQuarantineAfter}
 */
export function isPoison(lost: number, after: number | undefined): boolean {
  return lost >= (after ?? defaultQuarantineAfter);
}
