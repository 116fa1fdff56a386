/**
 * A program that has Troupe as a library: `node host.mjs <dist> <document> <data folder>`. It runs the
 * document, says how the outcome was told and what its own function had heard by then, and lives on.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist = '', document = '', dataDir = ''] = process.argv.slice(2);
/** @type {typeof import('../../../src/index.ts')} */
const { createTroupe } = await import(pathToFileURL(join(dist, 'index.js')).href);

let aborted = 0;
let stopped = 0;

/** Hears the signal at once, and takes a turn of the event loop to stop. */
const wait = (/** @type {{ signal: AbortSignal }} */ { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      aborted++;
      setImmediate(() => {
        stopped++;
        reject(signal.reason);
      });
    });
  });

const troupe = await createTroupe({ dataDir, functions: { wait } });
const handle = await troupe.run(document);
const code = await handle.outcome().then(
  ({ status }) => status,
  (/** @type {{ code: string }} */ error) => error.code,
);
process.stdout.write(`${JSON.stringify({ type: 'host.told', code, aborted, stopped })}\n`);
setInterval(() => undefined, 60_000);
