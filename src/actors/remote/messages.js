/**
 * Version of what supervisors and worker hosts say to each other. Messages of every version from 1 on are read for
 * ever; new fields are optional, and a change that old hosts would misread raises it. The {@link Label} and `protocol`
 * keep their place in every version, so that even a message that cannot be read can be answered.
 */
export const workProtocol = 1;
/** What a pool that is asked over the network waits for an answer, in milliseconds. */
export const answerMs = 5_000;
/** The label of a message alone. */
export function labelOf({ run, task, operation, attempt, epoch }) {
  return { run, task, operation, attempt, epoch };
}
/** Whether two messages are about the same try. */
export function isSameTry(a, b) {
  return a.operation === b.operation && a.attempt === b.attempt && a.epoch === b.epoch;
}
