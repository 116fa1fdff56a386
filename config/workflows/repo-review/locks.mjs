import { byText, eachItem } from './context.mjs';
import { isText, readText } from './files.mjs';
import { counted } from './findings.mjs';
import { baseName } from './languages.mjs';

/**
 * What npm's lock files tell beyond versions: licences, install scripts, where packages come from.
 *
 * @typedef {{ path: string, packages: number, scripts: number, insecure: number, licences: Map<string, number> }} Lock
 */

/** A lock file is data: it may be much larger than source. */
const maxLockBytes = 24 * 1024 * 1024;

/**
 * @param {import('./context.mjs').TaskContext} ctx
 * @param {string} root
 * @param {readonly string[]} locks
 */
export async function readLocks(ctx, root, locks) {
  /** @type {Lock[]} */
  const found = [];
  const npm = locks.filter((path) => /^(package-lock|npm-shrinkwrap)\.json$/.test(baseName(path)));
  await eachItem(ctx, npm.slice(0, 20), async (path) => {
    const file = await readText(root, path, { signal: ctx.signal, limit: maxLockBytes });
    if (isText(file)) found.push(...readLock(path, file.text));
  });
  return found;
}

/**
 * @param {string} path
 * @param {string} text
 * @returns {Lock[]}
 */
function readLock(path, text) {
  /** @type {Lock} */
  const lock = { path, packages: 0, scripts: 0, insecure: 0, licences: new Map() };
  try {
    /** @type {{ packages?: { [name: string]: { license?: unknown, hasInstallScript?: boolean, resolved?: string } } }} */
    const json = JSON.parse(text);
    for (const [name, facts] of Object.entries(json.packages ?? {}))
      if (name !== '') addLocked(lock, facts);
    return [lock];
  } catch {
    return [];
  }
}

/**
 * @param {Lock} lock
 * @param {{ license?: unknown, hasInstallScript?: boolean, resolved?: string }} facts
 */
function addLocked(lock, facts) {
  lock.packages += 1;
  if (facts.hasInstallScript === true) lock.scripts += 1;
  if (facts.resolved?.startsWith('http:') === true) lock.insecure += 1;
  const licence = typeof facts.license === 'string' ? facts.license : 'not stated';
  lock.licences.set(licence, (lock.licences.get(licence) ?? 0) + 1);
}

/** @param {Lock} lock */
export function lockedFindings(lock) {
  const copyleft = [...lock.licences]
    .filter(([name]) => /\bA?GPL\b|\bA?GPL-/.test(name) && !/\bOR\b|LGPL/.test(name))
    .sort(([a], [b]) => byText(a, b));
  const strict = copyleft.map(([name, count]) => ({
    rule: 'copyleft',
    severity: /** @type {const} */ ('medium'),
    confidence: /** @type {const} */ ('medium'),
    title: `${counted(count, 'locked package')} under ${name}`,
    file: lock.path,
    line: null,
    evidence: '',
    fix: 'Check whether your way of shipping agrees with it.',
  }));
  if (lock.insecure === 0) return strict;
  const title = `${counted(lock.insecure, 'locked package')} come over plain HTTP`;
  return [
    ...strict,
    {
      rule: 'http-registry',
      severity: /** @type {const} */ ('medium'),
      confidence: /** @type {const} */ ('high'),
      title,
      file: lock.path,
      line: null,
      evidence: '',
      fix: 'Lock again against an HTTPS registry.',
    },
  ];
}

/** @param {readonly Lock[]} locks */
export function licenceTable(locks) {
  /** @type {Map<string, number>} */
  const all = new Map();
  for (const lock of locks)
    for (const [name, count] of lock.licences) all.set(name, (all.get(name) ?? 0) + count);
  const rows = [...all].sort(([a, x], [b, y]) => y - x || byText(a, b)).slice(0, 12);
  return { title: 'Licences of locked npm packages', columns: ['licence', 'packages'], rows };
}

/** @param {readonly Lock[]} locks */
export function scriptTable(locks) {
  const rows = locks.filter((lock) => lock.scripts > 0).map((lock) => [lock.path, lock.scripts]);
  return {
    title: 'Packages that run a script when installed',
    columns: ['lock file', 'packages'],
    rows,
  };
}
