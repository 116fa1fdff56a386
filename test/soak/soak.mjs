import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Runs a real Troupe process for minutes, run after run, and prints what it holds as lines of JSON:
 * `npm run soak -- [--minutes 5] [--every 5]`. The last line has the slope of each figure per hour, after a
 * time to warm up. With `--kill` the process is killed now and then, and another takes its runs over.
 */

const args = process.argv.slice(2);
/** @param {string} name @param {number} otherwise */
const option = (name, otherwise) =>
  args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise;
const minutes = option('--minutes', 5);
const everyMs = option('--every', 5) * 1_000;
const isKilled = args.includes('--kill');
const killMs = 20_000;

const here = dirname(fileURLToPath(import.meta.url));
const dataDir = mkdtempSync(join(tmpdir(), 'troupe-soak-'));
const end = Date.now() + minutes * 60_000;

/** @typedef {{ at_ms: number, [figure: string]: number }} Sample */
const samples = /** @type {Sample[]} */ ([]);

try {
  while (Date.now() < end) await life();
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
print({ slopes_per_hour: slopes(), samples: samples.length });

/** One process, until the time is over or it is killed. */
function life() {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['--expose-gc', join(here, 'soak-process.mjs'), dataDir, String(everyMs)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const leftMs = Math.max(0, end - Date.now());
    const stop = setTimeout(() => child.kill('SIGTERM'), leftMs);
    const kill = isKilled ? setTimeout(() => child.kill('SIGKILL'), killMs) : undefined;
    let line = '';
    child.stdout.on('data', (data) => {
      const lines = `${line}${data}`.split('\n');
      line = lines.pop() ?? '';
      for (const text of lines) note(text, child.pid ?? 0);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(stop);
      clearTimeout(kill);
      if (code === 0 || signal === 'SIGKILL') resolve(undefined);
      else reject(new Error(`the process ended with ${code ?? signal}`));
    });
  });
}

/** @param {string} text @param {number} pid */
function note(text, pid) {
  const sample = { ...JSON.parse(text), ...openFiles(pid) };
  samples.push(sample);
  print(sample);
}

/** Open files of a process, where the system tells. @param {number} pid */
function openFiles(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const [, size = ''] = /FDSize:\s*(\d+)/.exec(text) ?? [];
    return size === '' ? {} : { fd_size: Number(size) };
  } catch {
    return {};
  }
}

/** Change per hour by least squares, without the first quarter. */
function slopes() {
  const steady = samples.slice(Math.ceil(samples.length / 4));
  const figures = Object.keys(steady[0] ?? {}).filter(
    (name) => !['at_ms', 'pid', 'uptime_ms', 'runs'].includes(name),
  );
  return Object.fromEntries(figures.map((name) => [name, slopeOf(steady, name)]));
}

/** @param {Sample[]} steady @param {string} name */
function slopeOf(steady, name) {
  const mean = (/** @type {number[]} */ values) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const hours = steady.map(({ at_ms: atMs }) => atMs / 3_600_000);
  const values = steady.map((sample) => sample[name] ?? 0);
  const [midHour, midValue] = [mean(hours), mean(values)];
  const spread = hours.reduce((sum, hour) => sum + (hour - midHour) ** 2, 0);
  const common = hours.reduce(
    (sum, hour, index) => sum + (hour - midHour) * ((values[index] ?? 0) - midValue),
    0,
  );
  return spread === 0 ? 0 : Math.round((common / spread) * 100) / 100;
}

/** @param {object} line */
function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
