/**
 * The data folder:
 *
 *     nodes/<node>/owner.json            who writes here: process id and start time
 *     nodes/<node>/journal-000001.log    segments, frames of records of all runs of the node
 *     nodes/<node>/taken/                appears when another node took over a run of this one
 *     runs/<run>/epoch-000001.json       which node owns the run in this epoch; the highest counts
 *     runs/<run>/epoch-000001.released   the owner gave it up
 */
import { join } from 'node:path';

/** Folder of all runs. */
export function runsFolder(dataDir: string): string {
  return join(dataDir, 'runs');
}

/** Folder of one run. */
export function runFolder(dataDir: string, run: string): string {
  return join(dataDir, 'runs', run);
}

/** Folder of one node. */
export function nodeFolder(dataDir: string, node: string): string {
  return join(dataDir, 'nodes', node);
}

/** A number as file names carry it, sortable. */
export function fileNumber(value: number): string {
  return value.toString().padStart(6, '0');
}
