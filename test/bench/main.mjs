/**
 * The benchmarks: `npm run bench`, or `npm run bench -- --quick`. JSON lines on standard output, notes on
 * standard error; exit code 1 when a gate fails. docs/benchmarks.md says what each load measures.
 *
 * Options: `--quick` takes small sizes and few rounds, for a look at whether everything still runs;
 * `--only NAME` takes one load, `--only bus` all that concern the bus; `--build FOLDER` measures another build (default:
 * dist).
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { spawn } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { admission } from './admission.mjs';
import { busJournal } from './bus-journal.mjs';
import { busStorage } from './bus-storage.mjs';
import { loadBuild } from './build.mjs';
import { durable } from './durable.mjs';
import { durableLaws } from './durable-laws.mjs';
import { embeddedBus } from './embedded-bus.mjs';
import { fairness } from './fairness.mjs';
import { graphs } from './graphs.mjs';
import { keyWatch } from './key-watch.mjs';
import { liveWorkers } from './live-workers.mjs';
import { memory } from './memory.mjs';
import { natsBus } from './nats-bus.mjs';
import { projections } from './projections.mjs';
import { provider } from './provider.mjs';
import { publishing } from './publishing.mjs';
import { remoteWork } from './remote-work.mjs';
import { scheduling } from './scheduling.mjs';
import { sharedMemory } from './shared-memory.mjs';
import { slowConsumer } from './slow-consumer.mjs';
import { startUp } from './start-up.mjs';
import { supervision } from './supervision.mjs';
import { tasks } from './tasks.mjs';

/** @type {{ readonly [name: string]: (build: Build, options: { quick: boolean }) => AsyncGenerator<Line> }} */
const loads = {
  'start-up': startUp,
  graphs,
  'live-workers': liveWorkers,
  durable,
  'durable-laws': durableLaws,
  tasks,
  memory,
  scheduling,
  fairness,
  admission,
  'embedded-bus': embeddedBus,
  publishing,
  'nats-bus': natsBus,
  'bus-storage': busStorage,
  'bus-journal': busJournal,
  'key-watch': keyWatch,
  'slow-consumer': slowConsumer,
  'shared-memory': sharedMemory,
  projections,
  provider,
  supervision,
  'remote-work': remoteWork,
};

/** Loads by a name of their own. @type {{ readonly [name: string]: readonly string[] }} */
const groups = {
  bus: [
    'embedded-bus',
    'publishing',
    'nats-bus',
    'bus-storage',
    'bus-journal',
    'key-watch',
    'slow-consumer',
    'shared-memory',
    'projections',
  ],
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    build: { type: 'string', default: fileURLToPath(new URL('../../dist', import.meta.url)) },
  },
});
const load = values.only === undefined ? undefined : loads[values.only];

const chosen = values.only === undefined ? Object.keys(loads) : groups[values.only];

if (load) {
  for await (const line of load(await loadBuild(resolve(values.build)), values)) print(line);
} else if (chosen) {
  process.exitCode = await each(chosen);
} else {
  const names = [...Object.keys(loads), ...Object.keys(groups)];
  note(`no load named ${values.only}; there are ${names.join(', ')}`);
  process.exitCode = 2;
}

/**
 * Every load in a process of its own, so that none runs on what another has left.
 * @param {readonly string[]} names
 */
async function each(names) {
  const started = { at: performance.now(), load: loadavg()[0] ?? 0 };
  /** @type {Line[]} */
  const lines = [];
  let broken = false;
  for (const name of names) {
    note(`${name} ...`);
    broken = (await inOwnProcess(name, (line) => lines.push(line))) !== 0 || broken;
  }
  const failed = lines.filter(({ ok }) => !ok).map(({ case: name, n }) => `${name}, ${n}`);
  const missed = lines.filter(({ ratio, target }) => target !== null && Number(ratio) > target);
  print({
    bench: 'summary',
    lines: lines.length,
    ok: failed.length === 0 && !broken,
    failed,
    over_target: missed.map(({ case: name, n }) => `${name}, ${n}`),
    node: process.version,
    cpus: availableParallelism(),
    load_before: started.load,
    load_after: loadavg()[0] ?? 0,
    seconds: Math.round((performance.now() - started.at) / 1000),
  });
  return failed.length === 0 && !broken ? 0 : 1;
}

/**
 * @param {string} name
 * @param {(line: Line) => void} taken
 * @returns {Promise<number | null>} the exit code
 */
async function inOwnProcess(name, taken) {
  const flags = ['--only', name, '--build', values.build, ...(values.quick ? ['--quick'] : [])];
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), ...flags],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  /** @type {Promise<number | null>} */
  const ended = new Promise((done) => child.on('close', done));
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text);
    taken(line);
    print(line);
  }
  return ended;
}

/** @param {object} line */
function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** @param {string} text */
function note(text) {
  process.stderr.write(`${text}\n`);
}
