/**
 * Load 7: what showing a run on the bus adds to a task: on the embedded bus when somebody has taken it, and on a NATS
 * server, beside the same run that nobody can see.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 */
import { forEachDocument, numbers, runToEnd } from './build.mjs';
import { line } from './line.mjs';
import { costPer, interleaved, median } from './measure.mjs';
import { natsGround } from './nats-ground.mjs';

const work = () => null;

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* projections(build, { quick }) {
  const n = quick ? 200 : 1000;
  const ground = await natsGround(build);
  const sides = [
    sideFor(build, n, { name: 'unseen' }),
    sideFor(build, n, { name: 'embedded', look: true }),
    ...(ground ? [sideFor(build, n, { name: 'nats', bus: ground.url })] : []),
  ];
  const costs = await interleaved(sides, { rounds: quick ? 3 : 7, warmUps: quick ? 1 : 4 });
  const unseen = costPer(n, costs.get('unseen'));
  const unseenEndUs = median(sides[0]?.ends ?? []) / n;
  for (const { name, ends } of sides.slice(1)) {
    const { cpuUs, wallUs } = costPer(n, costs.get(name));
    yield line({
      bench: 'projections',
      case: `fork-join, shown on ${name}`,
      n,
      ratio: cpuUs / unseen.cpuUs,
      against: 'CPU of the same run that nobody can see, closing included',
      figures: {
        added_cpu_us_per_task: cpuUs - unseen.cpuUs,
        cpu_us_per_task: cpuUs,
        unseen_cpu_us_per_task: unseen.cpuUs,
        run_wall_us_per_task: median(ends) / n,
        unseen_run_wall_us_per_task: unseenEndUs,
        wall_us_per_task_until_shown: wallUs,
      },
    });
  }
  await ground?.end();
}

/**
 * @param {Build} build
 * @param {number} n
 * @param {{ name: string, look?: boolean, bus?: string }} options
 */
function sideFor(build, n, { name, look = false, bus }) {
  /** @type {number[]} */
  const ends = [];
  return {
    name,
    ends,
    prepare: async () => {
      const workflow = await build.parse(forEachDocument());
      const opened = await build.createTroupe({
        functions: { work },
        ...(bus === undefined ? {} : { bus }),
      });
      if (look) void opened.bus;
      return async () => {
        const begun = performance.now();
        await runToEnd(opened, workflow, { input: { items: numbers(n) }, tasks: n + 1 });
        ends.push((performance.now() - begun) * 1000);
        // Closing waits until all of it is shown, so that all of the cost is counted.
        await opened.close();
      };
    },
  };
}
