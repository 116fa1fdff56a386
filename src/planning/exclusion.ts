import type { TaskSpec, Workflow } from '../workflow/model.ts';
import { capacityOf, demandOf } from './project.ts';

/** Tells why two tasks can never run at one time: the resource kind that has too little for both; undefined: they can. */
export type Exclusion = (one: TaskSpec, other: TaskSpec) => string | undefined;

/** Units of one kind, and how many there are of it. */
interface Held {
  readonly units: number;
  readonly capacity: number;
}

/** Compares what tasks hold with what there is. Locks (`exclusive`) are kinds of capacity 1. */
export function exclusionIn(workflow: Workflow): Exclusion {
  const held = new Map<string, Map<string, Held>>();
  const heldBy = (task: TaskSpec): Map<string, Held> => {
    const known = held.get(task.id);
    if (known) return known;
    const entries = Object.entries(demandOf(workflow, task));
    const kinds = new Map(
      entries.map(([kind, units]) => [kind, { units, capacity: capacityOf(workflow, kind) }]),
    );
    held.set(task.id, kinds);
    return kinds;
  };
  return (one, other) => {
    const second = heldBy(other);
    for (const [kind, { units, capacity }] of heldBy(one)) {
      const together = units + (second.get(kind)?.units ?? -Infinity);
      if (together > capacity) return kind;
    }
    return undefined;
  };
}
