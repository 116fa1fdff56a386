// Pulls one item, says so, and then holds it in silence until it is killed.
import { connectNats } from '../../../../dist/bus/nats/connect.js';
import { systemClock } from '../../../../dist/core/clock.js';

const [, , url = '', ns = '', pool = ''] = process.argv;
const bus = await connectNats({ url, ns, clock: systemClock, schedule: (fn) => setImmediate(fn) });
const queue = await bus.workQueue(pool);
const item = await queue.pull({ waitMs: 20_000 });
process.send?.(item?.id ?? '');
