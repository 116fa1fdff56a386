/**
 * Appends records to a run for ever and says on standard output which are durable:
 * `node appender.mjs <dist> <data folder> <run> <level>`.
 */
import { pathToFileURL } from 'node:url';

const [dist = '', dataDir = '', runId = '', level] = process.argv.slice(2);
const { openFileStore } = await import(
  `${pathToFileURL(dist).href}/journal/stores/file-store/file-store.js`
);
const store = await openFileStore({ dataDir, level, now: Date.now });
const run = await store.adopt(runId).catch((/** @type {{ code: string }} */ error) => {
  if (error.code !== 'TRP_RUN_NOT_FOUND') process.exit(1);
  return store.create(runId);
});
process.stdout.write(`adopted ${run.records.length}\n`);

let seq = run.records.length;
const appendNext = () => {
  for (let count = 0; count < 8; count++) {
    const number = ++seq;
    const record = {
      seq: number,
      at: Date.now(),
      type: 'task.succeeded',
      task: 't',
      attempt: 1,
      output: 'x'.repeat(number % 200),
    };
    const answered = (/** @type {{ code: string } | undefined} */ error) =>
      process.stdout.write(error ? `failed ${error.code}\n` : `durable ${number}\n`);
    run.append([record], answered);
  }
  setImmediate(appendNext);
};
appendNext();
