import { setTimeout as pause } from 'node:timers/promises';
import { createTroupe } from '../../dist/index.js';

/**
 * One process under a mixed load, until it is asked to end: functions, failures and retries, groups, memory, and
 * resumed runs that another has left behind. Prints what it holds at every interval.
 */

const [dataDir = '', everyMs = '5000'] = process.argv.slice(2);

/** Runs at one time. */
const width = 8;

const document = {
  version: 1,
  name: 'soak',
  agents: { worker: { uses: 'function', module: 'host:worker', owns: ['worker.*'] } },
  tasks: {
    plan: { agent: 'worker' },
    a: { agent: 'worker', needs: ['plan'], retry: { max_attempts: 5, initial: '5ms' } },
    b: { agent: 'worker', needs: ['plan'], timeout: '5s' },
    c: { agent: 'worker', needs: ['plan'] },
    join: { agent: 'worker', needs: [{ group: 'all' }] },
  },
  groups: { all: { tasks: ['a', 'b', 'c'], barrier: { min_success: 2, timeout: '5s' } } },
};

let count = 0;
let isEnding = false;
process.on('SIGTERM', () => (isEnding = true));

const troupe = await createTroupe({ dataDir, level: 'process', functions: { worker } });
const began = Date.now();
const watch = setInterval(tell, Number(everyMs));

for (const { run_id: id, status, owner } of await troupe.runs())
  if (['running', 'interrupted'].includes(status) && owner === null)
    await (await troupe.resume(id)).outcome();
await Promise.all(Array.from({ length: width }, load));
clearInterval(watch);
await troupe.close();

async function load() {
  while (!isEnding) {
    const handle = await troupe.run(document);
    await handle.outcome();
    count++;
    await pause(2);
  }
}

/** @param {import('../../dist/index.js').TaskContext} context */
async function worker({ task, attempt, memory }) {
  await pause(1 + Math.random() * 8);
  memory.set(`worker.${task}`, attempt);
  if (task === 'a' && attempt < 3) throw new Error('fails twice');
  return { task, text: 'x'.repeat(200) };
}

function tell() {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const kinds = process.getActiveResourcesInfo();
  const line = {
    at_ms: Date.now(),
    pid: process.pid,
    uptime_ms: Date.now() - began,
    runs: count,
    rss_mb: Math.round(rss / 1e5) / 10,
    heap_mb: Math.round(heapUsed / 1e5) / 10,
    external_mb: Math.round(external / 1e5) / 10,
    timers: kinds.filter((kind) => kind === 'Timeout').length,
    handles: kinds.filter((kind) => kind !== 'Timeout').length,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
