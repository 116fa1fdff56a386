/**
 * The data folder:
 *
 *     nodes/<node>/owner.json            who writes here: process id and start time
 *     nodes/<node>/journal-000001.log    segments, frames of records of all runs of the node
 *     nodes/<node>/taken/                appears when another node took over a run of this one
 *     runs/<run>/epoch-000001.json       which node owns the run in this epoch; the highest counts
 *     runs/<run>/epoch-000001.released   the owner gave it up
 *     runs/<run>/checkpoint-000000042    a fold of the run's records up to that number
 *     runs/<run>/blobs/<sha-256>         large values of its records, by content
 *     runs/<run>/removed                 the run is being removed: nobody reads or takes it any more
 *     blobs/<sha-256>                    other links to the blobs of all runs
 */
import { join } from 'node:path';
/** Name of the file in a run's folder that says that the run is being removed. */
export const removedName = 'removed';
/** Folder of all runs. */
export function runsFolder(dataDir) {
  return join(dataDir, 'runs');
}
/** Folder of one run. */
export function runFolder(dataDir, run) {
  return join(dataDir, 'runs', run);
}
/** Folder of one node. */
export function nodeFolder(dataDir, node) {
  return join(dataDir, 'nodes', node);
}
/** Where blobs are found by those who have the same value. */
export function blobsFolder(dataDir) {
  return join(dataDir, 'blobs');
}
/** Folder of all nodes. */
export function nodesFolder(dataDir) {
  return join(dataDir, 'nodes');
}
/** A number as file names carry it, sortable. */
export function fileNumber(value) {
  return value.toString().padStart(6, '0');
}
