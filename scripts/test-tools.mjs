/**
 * Sees to the programs that the tests need beside the npm packages: finds them, installs them where it may, and
 * else says what to install. Changes nothing when all are there.
 *
 * TROUPE_NATS_SERVER names another nats-server than the one on PATH.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cachedServer,
  compareVersions,
  findNatsServers,
  installedServer,
  natsCacheFolder,
} from './nats-server-binaries.mjs';

/**
 * A program that tests start.
 * @typedef {object} TestTool
 * @property {string} name
 * @property {() => string | undefined} find says in a few words what is there; undefined: nothing
 * @property {string} debian name of Debian's package
 * @property {string} variable of the environment that names the program; what is named is not installed
 * @property {string} advice what to do by hand
 * @property {() => void} [also] fetches what more there is
 */

/** @type {TestTool[]} */
const tools = [
  {
    name: 'nats-server',
    find: () =>
      findNatsServers()
        .map(({ version, path }) => `${version} at ${path}`)
        .join(' and ') || undefined,
    debian: 'nats-server',
    variable: 'TROUPE_NATS_SERVER',
    advice: [
      'Debian and Ubuntu: apt-get install nats-server. macOS: brew install nats-server.',
      'Elsewhere: the releases of the repository nats-io/nats-server on GitHub.',
      'A server that is not on PATH is named by the variable TROUPE_NATS_SERVER.',
    ].join('\n'),
    also: fetchNewestServer,
  },
];

/** Debian's suite of the newest packages. Nothing is installed from it, one package is unpacked. */
const newestSuite = 'sid';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** How long a failed look at the newer suite is remembered, so that nobody without a network waits each time. */
const rememberMs = 24 * 3_600_000;

let missing = 0;
for (const tool of tools) {
  if (tool.find() === undefined) install(tool);
  tool.also?.();
  const found = tool.find();
  if (found === undefined) missing++;
  say(
    found === undefined
      ? `${tool.name} is not here, and the tests that need it will fail.\n${tool.advice}`
      : `${tool.name} ${found}`,
  );
}
// The tests run all the same and name what they miss; continuous integration stops at once.
if (missing > 0 && process.env['CI']) process.exitCode = 1;

/**
 * Installs Debian's package, where this user may.
 * @param {TestTool} tool
 */
function install(tool) {
  if (process.env[tool.variable] || !hasProgram('apt-get')) return;
  const root = process.getuid?.() === 0;
  if (!root && spawnSync('sudo', ['-n', 'true']).status !== 0) return;
  const apt = (/** @type {string[]} */ ...args) =>
    root ? run('apt-get', args) : run('sudo', ['-n', 'apt-get', ...args]);
  const wanted = ['install', '-y', '--no-install-recommends', tool.debian];
  say(`installing Debian's package ${tool.debian}`);
  if (!apt(...wanted) && apt('update')) apt(...wanted);
}

/** Unpacks the newest nats-server of Debian into the cache of the project; the system stays as it is. */
function fetchNewestServer() {
  if (cachedServer()) return;
  const mirror = debianMirror();
  const failure = join(natsCacheFolder, 'unreachable');
  if (mirror === undefined || isRecent(failure)) {
    say(
      'no newer nats-server beside it: this is not Debian, or its source was not reachable lately',
    );
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'troupe-tools-'));
  try {
    if (unpackNewest(scratch, mirror) !== undefined) return;
    mkdirSync(natsCacheFolder, { recursive: true });
    writeFileSync(failure, '');
    say('no newer nats-server is to be had; the tests run with one version');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @param {string} scratch an empty folder @param {string} mirror @returns {string | undefined} version */
function unpackNewest(scratch, mirror) {
  const options = scratchApt(scratch, mirror);
  const download = ['download', `nats-server/${newestSuite}`];
  const fetched =
    run('apt-get', [...options, 'update'], scratch) &&
    run('apt-get', [...options, ...download], scratch);
  const archive = fetched && readdirSync(scratch).find((name) => name.endsWith('.deb'));
  const [, version] = /^nats-server_(\d+\.\d+\.\d+)/.exec(archive || '') ?? [];
  if (!archive || version === undefined) return undefined;
  const here = installedServer();
  if (here && compareVersions(here.version, version) >= 0) return undefined;
  return unpack(join(scratch, archive), version) ? version : undefined;
}

/**
 * By a rename at the end: a folder of that name holds a whole package, also when two of us run at once.
 * @param {string} archive @param {string} version
 */
function unpack(archive, version) {
  const [draft, target] = [`${version}.${process.pid}`, version].map((name) =>
    join(natsCacheFolder, name),
  );
  mkdirSync(draft, { recursive: true });
  if (!run('dpkg-deb', ['-x', archive, draft])) return false;
  if (existsSync(target)) rmSync(draft, { recursive: true });
  else renameSync(draft, target);
  return true;
}

/**
 * The options of an apt whose sources, lists and cache are in a folder of ours.
 * @param {string} scratch @param {string} mirror
 */
function scratchApt(scratch, mirror) {
  const line = `deb [signed-by=${keyring}] ${mirror} ${newestSuite} main\n`;
  writeFileSync(join(scratch, 'sources.list'), line);
  for (const folder of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(scratch, folder), { recursive: true });
  return [
    '-q',
    `Dir::Etc::sourcelist=${join(scratch, 'sources.list')}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${join(scratch, 'lists')}`,
    `Dir::Cache=${join(scratch, 'cache')}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=10',
    'Acquire::https::Timeout=10',
  ].flatMap((option) => (option.startsWith('-') ? [option] : ['-o', option]));
}

/** The mirror that the system's own sources name for Debian; undefined on another system. */
function debianMirror() {
  if (!existsSync(keyring) || !hasProgram('apt-get')) return undefined;
  const parts = '/etc/apt/sources.list.d';
  const files = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  const text = ['/etc/apt/sources.list', ...files]
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .map((file) => readFileSync(file, 'utf8').replace(/^\s*#.*$/gm, ''))
    .join('\n');
  return /https?:\/\/[^\s]+\/debian\/?(?=\s|$)/.exec(text)?.[0];
}

/** @param {string} file */
function isRecent(file) {
  return existsSync(file) && Date.now() - statSync(file).mtimeMs < rememberMs;
}

/** @param {string} program */
function hasProgram(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/**
 * Whether a program ended well; what it says is shown only when it did not.
 * @param {string} program @param {string[]} args @param {string} [cwd]
 */
function run(program, args, cwd) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const ended = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (ended.status === 0) return true;
  say(
    `${program} ${args[args.length - 1] ?? ''} failed: ${(ended.stderr ?? '').trim().slice(-500)}`,
  );
  return false;
}

/** @param {string} text To standard error: the last line of standard output belongs to the tests. */
function say(text) {
  process.stderr.write(`test tools: ${text}\n`);
}
