// @ts-nocheck: it runs against releases whose types are not here.
/**
 * Writes the corpus of a released version: `node test/journal/corpora/generate.mjs FOLDER VERSION`, where FOLDER holds
 * that version, built. What is written once is never written again: later versions must go on reading it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { plainState } from './plain-state.mjs';
import { functions, workflows } from './workflows.mjs';

const [release = '', version = ''] = process.argv.slice(2);
const from = (path) => import(pathToFileURL(resolve(release, 'dist', path)).href);
const { createTroupe } = await from('index.js');
const { fold } = await from('journal/fold.js');
const { RunMemory } = await from('memory/run-memory.js');
const { openFileStore } = await from('journal/stores/file-store/file-store.js');

// Documents given as data belong to the working folder, which is nobody's business.
process.chdir('/');
const target = join(import.meta.dirname, version);
mkdirSync(target, { recursive: true });
const seen = new Set();
for (const { name, carryOut } of workflows) {
  const dataDir = mkdtempSync(join(tmpdir(), 'troupe-corpus-'));
  await carryOut({ dataDir, createTroupe, openFileStore, functions });
  writeFileSync(join(target, `${name}.json.gz`), gzipSync(await corpusOf(dataDir), { level: 9 }));
  rmSync(dataDir, { recursive: true, force: true });
}
console.log(`${seen.size} types of records: ${[...seen].toSorted(byText).join(', ')}`);

function byText(a, b) {
  return a < b ? -1 : 1;
}

/** The files of a data folder, and what its runs fold to. */
async function corpusOf(dataDir) {
  const store = await openFileStore({ dataDir, level: 'process', now: () => 1 });
  const runs = [];
  for (const { run } of await store.list()) {
    const records = await store.read(run);
    for (const { type } of records) seen.add(type);
    const memory = new RunMemory();
    for (const record of records) if (record.type === 'memory.committed') memory.apply(record);
    const state = plainState(fold(records));
    const hash = createHash('sha256').update(JSON.stringify(state)).digest('hex');
    const types = [...new Set(records.map(({ type }) => type))].toSorted(byText);
    runs.push({ run, records: records.length, types, hash, state, memory: memory.hash() });
  }
  await store.close();
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(journal-.*\.log|epoch-.*)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((path) => [relative(dataDir, path), readFileSync(path).toString('base64')]);
  return JSON.stringify({ version, files: Object.fromEntries(files), runs });
}
