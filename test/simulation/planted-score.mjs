import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilePatched, compileSimulation, root } from './compile.mjs';

/**
 * How many of the bugs in planted/ the simulation finds. `node test/simulation/planted-score.mjs [--seeds N]
 * [NAME...]` prints a table; README.md tells the format of a bug.
 */

/**
 * @typedef {{ name: string, what: string, file: string, find: string, replace: string, invariants: string[] }} Bug
 * @typedef {{ name: string, seed: number | undefined, broken: string[], expected: boolean, fault: string | undefined }} Score
 */

const folder = join(dirname(fileURLToPath(import.meta.url)), 'planted');

/** Bugs that are looked for at one time. */
const parallel = 2;

/** @returns {Bug[]} every bug of the folder */
export function plantedBugs() {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
}

/**
 * The source with a bug in it.
 * @param {Bug} bug
 * @returns {string}
 */
export function patched({ name, file, find, replace }) {
  const text = readFileSync(join(root, file), 'utf8');
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${name}: the text to find stands ${count} times in ${file}`);
  return text.replace(find, () => replace);
}

/**
 * Looks for each bug, and for a violation in the sound source.
 * @param {{ bugs: Bug[], seeds: number }} options
 * @returns {Promise<{ scores: Score[], sound: string | undefined }>} `sound`: what was found where nothing is
 */
export async function scorePlanted({ bugs, seeds }) {
  const compiled = compileSimulation();
  const scores = /** @type {Score[]} */ ([]);
  const left = [...bugs];
  const work = async () => {
    for (let bug = left.shift(); bug; bug = left.shift())
      scores.push(await look(compiled, bug, seeds));
  };
  try {
    const sound = await firstViolation(compiled, 100);
    if (sound.crash) throw new Error(sound.crash);
    await Promise.all(Array.from({ length: parallel }, work));
    const order = bugs.map(({ name }) => name);
    scores.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name));
    return { scores, sound: sound.found && JSON.stringify(sound.found) };
  } finally {
    rmSync(compiled, { recursive: true, force: true });
  }
}

/**
 * @param {string} compiled
 * @param {Bug} bug
 * @param {number} seeds
 * @returns {Promise<Score>}
 */
async function look(compiled, bug, seeds) {
  const text = patched(bug);
  const place = compilePatched(compiled, { file: bug.file, text });
  try {
    const { found, crash } = await firstViolation(place, seeds);
    const broken = found ? [...new Set(found.violations.map(({ invariant }) => invariant))] : [];
    const expected = broken.some((one) => bug.invariants.includes(one));
    return { name: bug.name, seed: found?.seed, broken, expected, fault: crash };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/**
 * @param {string} place
 * @param {number} seeds
 * @returns {Promise<{ found?: { seed: number, violations: { invariant: string }[] }, crash?: string }>}
 */
function firstViolation(place, seeds) {
  return new Promise((resolve) => {
    const program = join(place, 'test/simulation/run-seeds.js');
    const child = spawn(process.execPath, [program, '0', String(seeds - 1), 'find'], {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (errors += data));
    child.on('close', (code) => {
      const lines = output.split('\n').filter(Boolean);
      const found = lines.map((line) => JSON.parse(line)).find(({ violations }) => violations);
      if (found) resolve({ found });
      else if (code === 0) resolve({});
      else resolve({ crash: errors.slice(-2_000) });
    });
  });
}

/**
 * The score as a table for people.
 * @param {Score[]} scores
 */
export function tableOf(scores) {
  const width = Math.max(...scores.map(({ name }) => name.length));
  const lines = scores.map(({ name, seed, broken, expected, fault }) => {
    const found = seed === undefined ? (fault ?? 'not found') : `seed ${seed}, ${broken.join(' ')}`;
    return `${name.padEnd(width)}  ${found}${seed !== undefined && !expected ? ' (others expected)' : ''}`;
  });
  const found = scores.filter(({ seed }) => seed !== undefined).length;
  return [...lines, `found ${found} of ${scores.length}`].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const at = args.indexOf('--seeds');
  const seeds = at === -1 ? 2_000 : Number(args.splice(at, 2)[1]);
  const bugs = plantedBugs().filter(({ name }) => args.length === 0 || args.includes(name));
  const { scores, sound } = await scorePlanted({ bugs, seeds });
  process.stdout.write(`${tableOf(scores)}\n`);
  if (sound) process.stdout.write(`the sound source is flagged: ${sound}\n`);
  process.exitCode = scores.every(({ seed }) => seed !== undefined) && !sound ? 0 : 1;
}
