/**
 * A process that writes to a shared memory: `node writer.mjs URL NAME COUNT`. One JSON line per acknowledged write, and
 * one when it becomes ready or the owner.
 */
import { connectNats } from '../../../../dist/bus/nats/connect.js';
import { systemClock as clock } from '../../../../dist/core/clock.js';
import { openSharedMemory } from '../../../../dist/index.js';

const [url = '', name = '', count = '0'] = process.argv.slice(2);

/** @param {object} line */
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const bus = await connectNats({ url, clock, schedule: setImmediate });
const keys = { 'list.>': 'append', 'sum.>': 'sum', 'set.>': 'union' };
const memory = await openSharedMemory({
  bus,
  name: 'm',
  keys: /** @type {import('../../../../src/memory/shared/shared-rules.ts').SharedRules['keys']} */ (
    keys
  ),
});
tell({ ready: true, owning: memory.owning });
for (let n = 1; n <= Number(count); n++) {
  const item = `${name}:${n}`;
  const options = { timeoutMs: 60_000 };
  await memory.update(
    ['list.all', 'sum.all', 'set.all'],
    (held) => ({
      'list.all': [.../** @type {string[]} */ (held['list.all'] ?? []), item],
      'sum.all': Number(held['sum.all'] ?? 0) + 1,
      'set.all': [.../** @type {string[]} */ (held['set.all'] ?? []), item],
      [`own.${name}`]: n,
    }),
    options,
  );
  tell({ acknowledged: n, owning: memory.owning });
}
tell({ done: true });
await memory.close();
await bus.close();
