import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the repository. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const compiler = join(root, 'node_modules/typescript/bin/tsc');

/**
 * Compiles src and the simulation into a new folder, for processes of their own. Types are not checked: that is
 * what `npm run types` is for.
 * @returns {string} the folder; `test/simulation/run-seeds.js` in it is the program
 */
export function compileSimulation() {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-simulation-'));
  const include = ['src', 'test/simulation', 'test/adversarial'].map((path) => join(root, path));
  compile(folder, { include, exclude: [join(root, 'test/**/*.test.ts')] }, root);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/**
 * A copy of a compiled folder with one source file replaced.
 * @param {string} compiled from {@link compileSimulation}
 * @param {{ file: string, text: string }} patch path relative to the repository, and the new text
 * @returns {string} the folder
 */
export function compilePatched(compiled, { file, text }) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-planted-'));
  cpSync(compiled, folder, { recursive: true, verbatimSymlinks: true });
  const sources = mkdtempSync(join(tmpdir(), 'troupe-patched-'));
  const path = join(sources, file);
  cpSync(join(root, file), path, { recursive: true });
  writeFileSync(path, text);
  writeFileSync(join(sources, 'package.json'), '{"type":"module"}');
  compile(folder, { files: [path], include: [] }, sources);
  rmSync(sources, { recursive: true, force: true });
  return folder;
}

/**
 * @param {string} outDir
 * @param {object} sources
 * @param {string} rootDir
 */
function compile(outDir, sources, rootDir) {
  const place = mkdtempSync(join(tmpdir(), 'troupe-project-'));
  const project = join(place, 'tsconfig.json');
  const compilerOptions = { rootDir, outDir, noEmit: false, noCheck: true, noResolve: true };
  const options = { ...compilerOptions, noEmitOnError: false };
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions: options, ...sources }),
  );
  try {
    execFileSync(process.execPath, [compiler, '-p', project], { stdio: 'pipe' });
  } catch {
    // Faults of resolution do not keep it from writing; what is missing shows when it runs.
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
