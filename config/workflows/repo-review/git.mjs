import { spawn } from 'node:child_process';
import { permanent } from './context.mjs';

/**
 * Running git over a repository that is not trusted: nothing that its configuration names (hooks,
 * file system monitors, external diff programs, remotes) is run or asked.
 */
const guarded = [
  '--no-pager',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.quotepath=off',
  '-c',
  'protocol.allow=never',
  '-c',
  'log.showSignature=false',
];

/**
 * Runs git and hands over its output piece by piece, so that a long history never stands in memory.
 *
 * @param {string} root
 * @param {readonly string[]} args
 * @param {{ readonly signal?: AbortSignal, readonly onData: (chunk: string) => void }} options
 * @returns {Promise<void>} Rejects with git's own words when it fails.
 */
export function streamGit(root, args, { signal, onData }) {
  const child = spawn('git', [...guarded, ...args], {
    cwd: root,
    env: {
      ...process.env,
      GIT_OPTIONAL_LOCKS: '0',
      GIT_TERMINAL_PROMPT: '0',
      GIT_NO_LAZY_FETCH: '1',
      LC_ALL: 'C',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', onData);
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    complaint = (complaint + text).slice(0, 2000);
  });
  return ended(child, () => complaint);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {() => string} complaint
 * @returns {Promise<void>}
 */
function ended(child, complaint) {
  return new Promise((resolve, reject) => {
    child.on('error', (error) =>
      reject(missingProgram(error) ? permanent('git is not installed') : error),
    );
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(firstLine(complaint()) || `git ended with code ${code}`)),
    );
  });
}

/** @param {Error & { code?: string }} error */
function missingProgram(error) {
  return error.code === 'ENOENT';
}

/** @param {string} text */
function firstLine(text) {
  return (text.split('\n')[0] ?? '').replace(/^fatal: /, '').trim();
}

/**
 * All of git's output, for commands whose answer is short.
 *
 * @param {string} root
 * @param {readonly string[]} args
 * @param {AbortSignal} [signal]
 */
export async function askGit(root, args, signal) {
  let output = '';
  const onData = (/** @type {string} */ chunk) => void (output += chunk);
  await streamGit(root, args, signal === undefined ? { onData } : { signal, onData });
  return output;
}
