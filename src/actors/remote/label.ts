/** Which try at which work a message is about. */
export interface Label {
  readonly run: string;
  readonly task: string;
  /** Operation id: the same for every attempt at one result. */
  readonly operation: string;
  readonly attempt: number;
  /** Fencing epoch of the run's owner who had the attempt begun. */
  readonly epoch: number;
}

/** The label of a message alone. */
export function labelOf({ run, task, operation, attempt, epoch }: Label): Label {
  return { run, task, operation, attempt, epoch };
}

/** Whether two messages are about the same try. */
export function isSameTry(a: Label, b: Label): boolean {
  return a.operation === b.operation && a.attempt === b.attempt && a.epoch === b.epoch;
}
