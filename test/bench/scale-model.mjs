/**
 * A model of many runs on many hosts, as events: runs' owners hand tasks out one by one, a node of NATS carries each,
 * and a slot of a worker host works on it. `node test/bench/scale-model.mjs` prints how capacity grows to a thousand
 * nodes; the benchmark `remote-work` holds its predictions against what was measured.
 */
import { pathToFileURL } from 'node:url';

/**
 * @typedef {object} Load
 * @property {number} tasks in all
 * @property {number} hosts
 * @property {number} slotsPerHost
 * @property {number} serviceMs what a task takes on its host
 * @property {number} overheadMs what passes on the way for one task, when nothing waits
 * @property {number} supervisorMs what its owner spends on one task
 * @property {number} [supervisors] processes that own runs; default 1
 * @property {number} [natsNodes] default 1
 * @property {number} [natsMs] what a node of NATS spends on one task; default 0
 */

/** @typedef {{ makespanMs: number, tasksPerSecond: number, bottleneck: string }} Forecast */

/**
 * @param {Load} load
 * @returns {Forecast}
 */
export function predict(load) {
  const { tasks, hosts, slotsPerHost, serviceMs, overheadMs, supervisorMs } = load;
  const { supervisors = 1, natsNodes = 1, natsMs = 0 } = load;
  const owners = stationOf(supervisors);
  const nodes = stationOf(natsNodes);
  const slots = stationOf(hosts * slotsPerHost);
  let makespanMs = 0;
  for (let task = 0; task < tasks; task++) {
    // A queue hands out in order, and every station serves whoever comes first.
    const given = owners.serve(0, supervisorMs);
    const carried = nodes.serve(given, natsMs);
    makespanMs = Math.max(makespanMs, slots.serve(carried, serviceMs + overheadMs));
  }
  const rates = {
    'owners of runs': supervisors / supervisorMs,
    'NATS nodes': natsMs === 0 ? Infinity : natsNodes / natsMs,
    'slots of worker hosts': (hosts * slotsPerHost) / (serviceMs + overheadMs),
  };
  const [bottleneck = ''] = Object.entries(rates).toSorted(([, a], [, b]) => a - b)[0] ?? [];
  return { makespanMs, tasksPerSecond: (tasks / makespanMs) * 1000, bottleneck };
}

/**
 * Equal servers before which one line waits.
 * @param {number} servers
 */
function stationOf(servers) {
  /** When each is free again, as a binary heap. @type {number[]} */
  const free = Array.from({ length: servers }, () => 0);
  return {
    /**
     * @param {number} readyMs
     * @param {number} takesMs
     */
    serve(readyMs, takesMs) {
      const end = Math.max(readyMs, free[0] ?? 0) + takesMs;
      free[0] = end;
      sink(free);
      return end;
    },
  };
}

/** @param {number[]} heap whose first entry may be too large */
function sink(heap) {
  for (let at = 0; ;) {
    const left = 2 * at + 1;
    const right = left + 1;
    const smaller = valueAt(heap, right) < valueAt(heap, left) ? right : left;
    if (valueAt(heap, smaller) >= valueAt(heap, at)) return;
    [heap[at], heap[smaller]] = [valueAt(heap, smaller), valueAt(heap, at)];
    at = smaller;
  }
}

/**
 * @param {readonly number[]} heap
 * @param {number} index
 */
function valueAt(heap, index) {
  return heap[index] ?? Infinity;
}

/** What docs/scale.md shows: 32 slots on each worker host, an owner for 20 of them, a NATS node for 50. */
export function growthTable() {
  return [1, 10, 100, 1_000].map((hosts) => {
    const supervisors = Math.max(1, Math.ceil(hosts / 20));
    const natsNodes = Math.max(1, Math.ceil(hosts / 50));
    const forecast = predict({
      tasks: hosts * 32 * 20,
      hosts,
      slotsPerHost: 32,
      serviceMs: 10_000,
      overheadMs: 10,
      supervisorMs: 2,
      supervisors,
      natsNodes,
      natsMs: 0.5,
    });
    return { hosts, supervisors, natsNodes, ...forecast };
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const row of growthTable()) process.stdout.write(`${JSON.stringify(row)}\n`);
