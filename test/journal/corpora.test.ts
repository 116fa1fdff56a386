import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fold } from '../../src/journal/fold.ts';
import type { JournalRecord } from '../../src/journal/record.ts';
import { RunMemory } from '../../src/memory/run-memory.ts';
import { plainState } from './corpora/plain-state.mjs';
import { fileStore, temporaryFolder } from './support/folder.ts';

/** One file of a corpus: a data folder as a released version left it, and what that version made of it. */
interface Corpus {
  readonly files: { readonly [path: string]: string };
  readonly runs: readonly {
    readonly run: string;
    readonly records: number;
    readonly types: readonly JournalRecord['type'][];
    readonly hash: string;
    readonly state: unknown;
    readonly memory: string;
  }[];
}

const folder = 'test/journal/corpora';
const versions = readdirSync(folder, { withFileTypes: true }).filter((entry) =>
  entry.isDirectory(),
);
const corpora = versions.flatMap(({ name: version }) =>
  readdirSync(join(folder, version)).map((file) => ({ version, file })),
);

function corpusIn(version: string, file: string): Corpus {
  const bytes = readFileSync(join(folder, version, file));
  return JSON.parse(gunzipSync(bytes).toString()) as Corpus;
}

/** What of a state an earlier version knew: places that are new since then are left out. */
function asKnown(state: unknown, known: unknown): unknown {
  if (Array.isArray(known) && Array.isArray(state))
    return state.map((item, index) => asKnown(item, known[index]));
  if (known === null || typeof known !== 'object' || Array.isArray(state)) return state;
  const places = (state ?? {}) as { readonly [key: string]: unknown };
  return Object.fromEntries(
    Object.entries(known)
      .filter(([key]) => Object.hasOwn(places, key))
      .map(([key, value]) => [key, asKnown(places[key], value)]),
  );
}

function memoryOf(records: readonly JournalRecord[]): string {
  const memory = new RunMemory();
  for (const record of records) if (record.type === 'memory.committed') memory.apply(record);
  return memory.hash();
}

describe('journals of released versions', () => {
  it.each(corpora)('fold to what $version made of them: $file', async ({ version, file }) => {
    const { files, runs } = corpusIn(version, file);
    const dataDir = await temporaryFolder();
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(dataDir, path)), { recursive: true });
      writeFileSync(join(dataDir, path), Buffer.from(content, 'base64'));
    }
    const store = await fileStore(dataDir);
    expect((await store.list()).map(({ run }) => run)).toEqual(runs.map(({ run }) => run));
    for (const { run, records: count, hash, state, memory } of runs) {
      expect(createHash('sha256').update(JSON.stringify(state)).digest('hex')).toBe(hash);
      const records = await store.read(run);
      expect(records).toHaveLength(count);
      expect(asKnown(plainState(fold(records)), state)).toEqual(state);
      expect(memoryOf(records)).toBe(memory);
    }
  });

  it('hold every type of record that 0.1.0 knew', () => {
    const types = corpora
      .filter(({ version }) => version === '0.1.0')
      .flatMap(({ version, file }) => corpusIn(version, file).runs.flatMap((run) => run.types));
    expect(new Set(types).size).toBe(29);
  });
});
