/**
 * Load 6: branches that all write the same three keys of memory from one base, merged by priority. Beside a
 * loop that puts the same values into a bare object, last writer wins, no record of anything.
 *
 * @import { Build } from './build.mjs'
 * @import { Line } from './line.mjs'
 * @import { MemoryRules, Proposal } from '../../src/memory/propose.ts'
 */
import { pathToFileURL } from 'node:url';
import { line } from './line.mjs';
import { costPer, growthExponent, interleaved } from './measure.mjs';

/** What a branch may cost in CPU, for all three keys and the records of their conflicts. */
const targetUs = 15;

/**
 * @param {Build} build
 * @param {{ quick: boolean }} options
 * @returns {AsyncGenerator<Line>}
 */
export async function* memory(build, { quick }) {
  const sizes = quick ? [200, 1_000] : [1_000, 10_000, 100_000];
  /** @type {{ n: number, cost: number } | undefined} */
  let smallest;
  for (const n of sizes) {
    const figures = await branchCosts(build, n, quick ? 2 : n > 10_000 ? 3 : 9);
    smallest ??= { n, cost: figures.cpu_us_per_branch };
    yield line({
      bench: 'memory',
      case: 'branches that write three keys from one base',
      n,
      ratio: figures.cpu_us_per_branch / figures.bare_cpu_us_per_branch,
      against: 'CPU of the same values put into a bare object',
      figures: { ...figures, target_us_per_branch: targetUs },
    });
    if (smallest.n === n) continue;
    yield line({
      bench: 'memory',
      case: `growth of branches from ${smallest.n}`,
      n,
      ratio: growthExponent(smallest, { n, cost: figures.cpu_us_per_branch }) + 1,
      against: 'a cost that is linear in the branches is 1',
      target: 1.1,
      fails_at: quick ? null : 1.4,
      figures,
    });
  }
}

/**
 * @param {Build} build
 * @param {number} n
 * @param {number} rounds
 */
async function branchCosts(build, n, rounds) {
  /** @param {string} path */
  const load = (path) => import(pathToFileURL(`${build.folder}/${path}`).href);
  const { decideCommit } = await load('memory/propose.js');
  const { RunMemory } = await load('memory/run-memory.js');
  const proposals = Array.from({ length: n }, (_, index) => proposalOf(index));
  /** @type {MemoryRules} */
  const rules = {
    ownerOf: () => undefined,
    allowed: () => true,
    mergerOf: () => 'priority_merge',
  };
  let conflicts = 0;
  const commitAll = async () => {
    const run = new RunMemory();
    let seq = 0;
    conflicts = 0;
    for (const proposal of proposals) {
      for (const body of decideCommit(run, proposal, rules).records) {
        seq++;
        if (body.type === 'memory.committed') run.apply({ ...body, seq });
        else conflicts++;
      }
    }
    const results = run.view().get('parallel.results');
    if (Object.keys(results).length !== n) throw new Error('a branch was lost');
  };
  const costs = await interleaved(
    [
      { name: 'bare', prepare: async () => async () => mutateAll(proposals) },
      { name: 'troupe', prepare: async () => commitAll },
    ],
    { rounds, warmUps: n > 10_000 ? 1 : 3 },
  );
  const ours = costPer(n, costs.get('troupe'));
  const bare = costPer(n, costs.get('bare'));
  return {
    cpu_us_per_branch: ours.cpuUs,
    bare_cpu_us_per_branch: bare.cpuUs,
    conflicts_recorded: conflicts,
  };
}

/**
 * A value of its own, a place that all branches want, and one of each in a third key.
 * @param {number} index
 * @returns {Proposal}
 */
function proposalOf(index) {
  const name = `branch-${index}`;
  return {
    task: name,
    agent: name,
    op: name,
    base: 0,
    priority: 1 + ((index * 7_919) % 10),
    changes: [
      { key: 'parallel.results', value: { [name]: { score: index, text: 'found' } } },
      { key: 'parallel.best', value: index },
      { key: 'parallel.summary', value: { lead: name, seen: { [name]: true } } },
    ],
  };
}

/** @param {readonly Proposal[]} proposals */
function mutateAll(proposals) {
  /** @type {Record<string, unknown>} */
  const state = { 'parallel.results': {}, 'parallel.summary': { seen: {} } };
  for (const { changes } of proposals) {
    for (const change of changes) {
      const value = 'value' in change ? change.value : undefined;
      const held = state[change.key];
      if (typeof value === 'object' && value !== null && typeof held === 'object' && held !== null)
        assignDeep(/** @type {never} */ (held), /** @type {never} */ (value));
      else state[change.key] = value;
    }
  }
  return state;
}

/**
 * @param {Record<string, unknown>} target
 * @param {Record<string, unknown>} source
 */
function assignDeep(target, source) {
  for (const [key, value] of Object.entries(source)) {
    const held = target[key];
    if (typeof held === 'object' && held !== null && typeof value === 'object' && value !== null)
      assignDeep(/** @type {never} */ (held), /** @type {never} */ (value));
    else target[key] = value;
  }
}
