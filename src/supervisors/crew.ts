import { createCollection } from '../actors/collection.ts';
import { workerMachine } from '../actors/worker.ts';

/** The workers of a group, or of a run's ungrouped tasks: machines, in their thousands. */
export const crewLogic = createCollection('crew', { worker: workerMachine });
