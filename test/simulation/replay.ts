import { liveSeed } from './world-of-seed.ts';
const [from = 0, to = 20] = process.argv.slice(2).map(Number);
const t = Date.now();
let n = 0;
for (let seed = from; seed <= to; seed++) {
  const r = await liveSeed(seed);
  if (!r) continue;
  n++;
  if (process.env['TRACE']) console.log(r.trace.join('\n'));
  if (r.violations.length) console.log(seed, r.faults.join(','), r.violations.slice(0, 3));
}
console.log(n, 'worlds', (Date.now() - t) / n, 'ms each');
