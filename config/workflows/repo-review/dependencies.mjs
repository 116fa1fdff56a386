import { eachItem, inputOf } from './context.mjs';
import { isText, linesOf, readText } from './files.mjs';
import { aspectOutput, counted } from './findings.mjs';
import { baseName, folderOf, isSample } from './languages.mjs';
import { licenceTable, lockedFindings, readLocks, scriptTable } from './locks.mjs';
import { isManifest, locksOf, readManifest } from './manifests.mjs';
import { evidenceOf } from './redact.mjs';

/**
 * @typedef {import('./manifests.mjs').Manifest} Manifest
 * @typedef {import('./manifests.mjs').Dependency} Dependency
 * @typedef {{ path: string, text: string, manifest: Manifest }} Read
 */

/**
 * What the project depends on: how much, how firmly, under which licences.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export async function dependencies(ctx) {
  /** @type {{ root: string, files: string[], locks: string[] }} */
  const { root, files, locks } = inputOf(ctx);
  const manifests = await readAll(
    ctx,
    root,
    files.filter((path) => isManifest(path) && !isSample(path)),
  );
  const npmLocks = await readLocks(ctx, root, locks);
  const licenceFile = files.find((path) => /^(licen[cs]e|copying|unlicense)([.-].*)?$/i.test(path));
  const all = manifests.flatMap((read) => read.manifest.dependencies);
  const loose = manifests.flatMap((read) => looseFindings(read));
  const missing = manifests.flatMap((read) => lockFinding(read, locks));
  return aspectOutput('dependencies', {
    examined: `${counted(manifests.length, 'manifest')}, ${counted(all.length, 'direct dependency')}, ${counted(
      npmLocks.reduce((sum, lock) => sum + lock.packages, 0),
      'locked npm package',
    )}`,
    findings: [
      ...loose,
      ...missing,
      ...licenceFindings(manifests, licenceFile, files.length),
      ...npmLocks.flatMap(lockedFindings),
    ],
    tables: [manifestTable(manifests, locks), licenceTable(npmLocks), scriptTable(npmLocks)],
    metrics: {
      manifests: manifests.length,
      direct: all.length,
      unpinned: loose.length,
      missing_locks: missing.length,
      licence_file: licenceFile === undefined ? 0 : 1,
    },
    notes: [
      ...manifests
        .filter((read) => read.manifest.fault !== '')
        .map((read) => `${read.path} was not understood: ${read.manifest.fault}.`),
      'No registry was asked: known vulnerabilities and newer versions are not part of this report.',
    ],
  });
}

/**
 * @param {import('./context.mjs').TaskContext} ctx
 * @param {string} root
 * @param {readonly string[]} paths
 */
async function readAll(ctx, root, paths) {
  /** @type {Read[]} */
  const found = [];
  await eachItem(ctx, paths, async (path) => {
    const file = await readText(root, path, { signal: ctx.signal });
    if (isText(file))
      found.push({ path, text: file.text, manifest: readManifest(path, file.text) });
  });
  return found;
}

/** Says "any version": nothing, a star, a moving tag, or the tip of a repository. */
const floating =
  /^(?:\*|x|latest|next|>=?\s*[\d.]+)?$|^(?:git\+|git:|https?:|github:)(?!.*#(?:v?\d|[0-9a-f]{7,40}))/i;

/**
 * @param {Read} read
 */
function looseFindings({ path, text, manifest }) {
  const lines = linesOf(text);
  return manifest.dependencies
    .filter((dependency) => floating.test(dependency.version.trim()))
    .map((dependency) => ({
      rule: 'unpinned',
      severity:
        dependency.scope === 'runtime'
          ? /** @type {const} */ ('medium')
          : /** @type {const} */ ('low'),
      confidence: /** @type {const} */ ('high'),
      title: `${dependency.name} may be any version`,
      file: path,
      line: dependency.line,
      evidence: evidenceOf(lines[dependency.line - 1] ?? ''),
      fix: 'Give a range with an upper bound, and lock it.',
    }));
}

/**
 * @param {Read} read
 * @param {readonly string[]} locks
 */
function lockFinding({ path, text, manifest }, locks) {
  const names = locksOf[manifest.ecosystem];
  if (names === undefined || manifest.dependencies.length === 0 || hasLock(path, names, locks))
    return [];
  if (
    baseName(path).startsWith('requirements') &&
    manifest.dependencies.every((dependency) => dependency.version.startsWith('=='))
  )
    return [];
  return [
    {
      rule: 'no-lock',
      severity: manifest.isPrivate ? /** @type {const} */ ('medium') : /** @type {const} */ ('low'),
      confidence: /** @type {const} */ ('medium'),
      title: `${counted(manifest.dependencies.length, 'dependency')} without a lock file`,
      file: path,
      ...anchor(text, /dependencies|require/i),
      fix: `Track one of ${names.join(', ')}: then every machine builds the same. A library may leave it out on purpose.`,
    },
  ];
}

/**
 * The first line that fits, as the place of a finding about the whole file.
 *
 * @param {string} text
 * @param {RegExp} pattern
 */
function anchor(text, pattern) {
  const lines = linesOf(text);
  const index = Math.max(
    0,
    lines.findIndex((line) => pattern.test(line)),
  );
  return { line: index + 1, evidence: evidenceOf(lines[index] ?? '') };
}

/**
 * A lock counts for its folder and all below it (workspaces).
 *
 * @param {string} path
 * @param {readonly string[]} names
 * @param {readonly string[]} locks
 */
function hasLock(path, names, locks) {
  const folder = folderOf(path);
  return locks.some(
    (lock) =>
      names.includes(baseName(lock)) &&
      (folderOf(lock) === '' ||
        folder === folderOf(lock) ||
        folder.startsWith(`${folderOf(lock)}/`)),
  );
}

/**
 * @param {readonly Read[]} manifests
 * @param {string | undefined} licenceFile
 * @param {number} files
 */
function licenceFindings(manifests, licenceFile, files) {
  const unnamed = manifests.filter(
    (read) =>
      read.manifest.ecosystem === 'npm' && !read.manifest.isPrivate && read.manifest.licence === '',
  );
  const fields = unnamed.slice(0, 5).map((read) => ({
    rule: 'no-licence-field',
    severity: /** @type {const} */ ('low'),
    confidence: /** @type {const} */ ('high'),
    title: 'A package that may be published names no licence',
    file: read.path,
    ...anchor(read.text, /^\s*"(?:name|version|type)"/),
    fix: 'Add "license", or "private": true.',
  }));
  if (licenceFile !== undefined || files === 0) return fields;
  const title = 'No licence file at the root';
  return [
    ...fields,
    {
      rule: 'no-licence',
      severity: /** @type {const} */ ('low'),
      confidence: /** @type {const} */ ('high'),
      title,
      file: null,
      line: null,
      evidence: '',
      fix: 'Add LICENSE: without one nobody else may use the code.',
    },
  ];
}

/**
 * @param {readonly Read[]} manifests
 * @param {readonly string[]} locks
 */
function manifestTable(manifests, locks) {
  const rows = manifests.slice(0, 15).map(({ path, manifest }) => {
    const runtime = manifest.dependencies.filter(
      (dependency) => dependency.scope === 'runtime',
    ).length;
    const names = locksOf[manifest.ecosystem];
    const locked =
      names === undefined
        ? 'no lock in this ecosystem'
        : hasLock(path, names, locks)
          ? 'yes'
          : 'no';
    return [
      path,
      manifest.ecosystem,
      runtime,
      manifest.dependencies.length - runtime,
      locked,
      manifest.licence || '–',
    ];
  });
  return {
    title: 'Manifests',
    columns: ['file', 'ecosystem', 'runtime', 'development', 'locked', 'licence'],
    rows,
  };
}
