import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { spellings } from '../../src/workflow/aliases.ts';
import { templateRoots } from '../../src/workflow/expression.ts';
import { keysOfBlock } from '../../src/workflow/schema/block.ts';
import '../../src/workflow/schema/document.ts';
import { unsupportedKeys, unsupportedValues } from '../../src/workflow/unsupported.ts';
import { validateDocument } from '../../src/workflow/validate.ts';
import { Page, firstColumn } from './page.ts';

const pages = ['docs/workflow.md', 'README.md'];
const page = new Page('docs/workflow.md');
const tables = page.tables();
const keyTables = [...tables].flatMap(([mark, rows]) => {
  const block = /^keys: (\w+)$/.exec(mark)?.[1];
  return block === undefined ? [] : [{ block, keys: firstColumn(rows) }];
});

const documents = pages.flatMap((path) =>
  new Page(path).inLanguage('yaml').map((fence) => ({ path, ...fence })),
);

describe('documents in the pages', () => {
  it.each(documents.filter(({ mark }) => mark === ''))(
    'at $path:$line has neither faults nor warnings',
    async ({ text }) => {
      const { faults, warnings } = await validateDocument({ text });
      expect([...faults, ...warnings]).toEqual([]);
    },
  );

  it.each(documents.filter(({ mark }) => mark === 'fragment'))(
    'at $path:$line is part of a valid one',
    async ({ text }) => {
      const { faults } = await validateDocument({ object: completed(parse(text) as Fragment) });
      expect(faults).toEqual([]);
    },
  );

  it('are all marked as whole or as a fragment', () => {
    expect(documents.filter(({ mark }) => !['', 'fragment'].includes(mark))).toEqual([]);
    expect(documents.length).toBeGreaterThan(6);
  });
});

/** What a fragment may name without showing it. */
interface Fragment {
  readonly agents?: object;
  readonly tasks?: {
    readonly [id: string]: {
      readonly agent?: string;
      readonly aspects?: { readonly [id: string]: { readonly agent?: string } };
    };
  };
  readonly groups?: {
    readonly [id: string]: {
      readonly tasks: readonly string[];
      readonly cross_validation?: { readonly agents: readonly string[] };
    };
  };
}

/** A fragment with simulated agents and tasks for the names that it does not define. */
function completed(fragment: Fragment): object {
  const tasks = Object.values(fragment.tasks ?? {});
  const groups = Object.values(fragment.groups ?? {});
  const agents = [
    ...tasks.map(({ agent }) => agent),
    ...tasks.flatMap(({ aspects = {} }) => Object.values(aspects).map(({ agent }) => agent)),
    ...groups.flatMap(({ cross_validation: checks }) => checks?.agents ?? []),
  ].filter((agent) => agent !== undefined);
  const members = groups.flatMap(({ tasks: ids }) => ids);
  const simulated = (ids: readonly string[]): object =>
    Object.fromEntries(ids.map((id) => [id, { uses: 'simulate' }]));
  return {
    ...fragment,
    agents: { ...simulated(agents), ...fragment.agents },
    tasks: { ...simulated([...members, 'other']), ...fragment.tasks },
  };
}

interface Described {
  readonly title: string;
  readonly keys: readonly string[];
}

/** Every mapping of the published schema, and every word that one of its keys may hold. */
function readSchema(): { readonly blocks: readonly Described[]; readonly words: Set<string> } {
  const blocks: Described[] = [];
  const words = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { title, properties, enum: some } = node as { [key: string]: unknown };
    if (typeof properties === 'object' && properties !== null)
      blocks.push({ title: typeof title === 'string' ? title : '', keys: Object.keys(properties) });
    if (Array.isArray(some)) for (const word of some) words.add(String(word));
    for (const part of Object.values(node)) visit(part);
  };
  visit(JSON.parse(readFileSync('config/workflow.schema.json', 'utf8')));
  return { blocks, words };
}

describe('the tables of keys', () => {
  const schema = readSchema();

  it.each(keyTables)('name the keys of $block, all of them and no others', ({ block, keys }) => {
    expect(keys.toSorted()).toEqual(keysOfBlock(block).toSorted());
  });

  it('cover every mapping of the published schema', () => {
    const known = keyTables.map(({ keys }) => keys.toSorted().join());
    const missing = schema.blocks.filter(
      ({ keys }) => keys.length > 0 && !known.includes(keys.toSorted().join()),
    );
    expect(missing).toEqual([]);
    expect(schema.blocks.length).toBeGreaterThan(keyTables.length / 2);
  });

  it('stand beside every word that a key may hold', () => {
    const silent = [...schema.words].filter((word) => !page.text.includes(`\`${word}\``));
    expect(silent).toEqual([]);
    expect(schema.words.size).toBeGreaterThan(30);
  });
});

describe('the table of expressions', () => {
  it('has every root and no other', () => {
    const written = firstColumn(tables.get('expressions') ?? []);
    const roots = written.map((expression) => /^\$\{(\w+)/.exec(expression)?.[1]);
    expect(new Set(roots)).toEqual(new Set(templateRoots));
  });
});

/** A table from a word to a list of words, flattened: `block.key` to its spellings. */
type Lists = { readonly [place: string]: readonly string[] };

describe('the tables of spellings', () => {
  it('name the aliases of keys as the code has them', () => {
    const written: Record<string, readonly string[]> = {};
    for (const [[block] = [], [key] = [], sources = []] of tables.get('aliases of keys') ?? [])
      written[`${block}.${key}`] = sources;
    expect(written).toEqual(aliasesOfKeys());
  });

  it('name the aliases of values as the code has them', () => {
    const written: Record<string, readonly string[]> = {};
    for (const [[block] = [], [key = '*'] = [], [value] = [], sources = []] of tables.get(
      'aliases of values',
    ) ?? [])
      written[`${block}.${key} = ${value}`] = sources;
    expect(written).toEqual(aliasesOfValues());
  });

  it('name what is refused as the code has it', () => {
    expect(listsOf('refused keys')).toEqual(unsupportedKeys);
    expect(listsOf('refused values')).toEqual(unsupportedValues);
  });
});

function listsOf(mark: string): Lists {
  const rows = tables.get(mark) ?? [];
  return Object.fromEntries(rows.map(([[place = ''] = [], words = []]) => [place, words]));
}

function aliasesOfKeys(): Lists {
  const found: Record<string, string[]> = {};
  for (const [block, { keys = {} }] of Object.entries(spellings))
    for (const [source, key] of Object.entries(keys))
      (found[`${block}.${key}`] ??= []).push(source);
  return found;
}

function aliasesOfValues(): Lists {
  const found: Record<string, string[]> = {};
  for (const [block, { values = {} }] of Object.entries(spellings))
    for (const [key, sources] of Object.entries(values))
      for (const [source, value] of Object.entries(sources))
        (found[`${block}.${key} = ${value}`] ??= []).push(source);
  return found;
}
