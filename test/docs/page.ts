import { readFileSync } from 'node:fs';

/** A fenced block of a page. */
export interface Fence {
  readonly language: string;
  /** The rest of the info string. */
  readonly mark: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** The file that the sentence before it names: `review.yaml`. Undefined: none. */
  readonly file: string | undefined;
}

/** A Markdown page of this repository, as the tests about it see it. */
export class Page {
  readonly text: string;
  readonly fences: readonly Fence[];

  constructor(path: string) {
    this.text = readFileSync(path, 'utf8');
    this.fences = fencesOf(this.text);
  }

  /** Blocks in a language. */
  inLanguage(...languages: readonly string[]): readonly Fence[] {
    return this.fences.filter(({ language }) => languages.includes(language));
  }

  /** The block that the page shows as a file. */
  file(name: string): string {
    const fence = this.fences.find(({ file }) => file === name);
    if (!fence) throw new Error(`the page shows no file ${name}`);
    return fence.text;
  }

  /** Tables that follow `<!-- MARK -->`, by the text of the mark: the words in backticks of each cell of each row. */
  tables(): ReadonlyMap<string, readonly (readonly (readonly string[])[])[]> {
    const found = new Map<string, readonly (readonly (readonly string[])[])[]>();
    for (const [, mark = '', table = ''] of this.text.matchAll(/^<!-- (.+) -->\n\n((?:\|.*\n)+)/gm))
      found.set(mark, rowsOf(table));
    return found;
  }

  /** The last cell of a key's row in the table `<!-- keys: BLOCK -->`, without backticks. */
  lastCell(block: string, key: string): string {
    const [, table = ''] = this.text.split(`<!-- keys: ${block} -->\n\n`);
    const row = table.split('\n').find((line) => line.startsWith(`| \`${key}\` `));
    if (row === undefined) throw new Error(`no row ${key} in the table of ${block}`);
    return row.split('|').at(-2)?.trim().replaceAll('`', '') ?? '';
  }
}

/** Every word of the first column. */
export function firstColumn(rows: readonly (readonly (readonly string[])[])[]): readonly string[] {
  return rows.flatMap(([first = []]) => first);
}

function rowsOf(table: string): readonly (readonly (readonly string[])[])[] {
  const [, , ...rows] = table.trimEnd().split('\n');
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)),
  );
}

function fencesOf(text: string): readonly Fence[] {
  const found: Fence[] = [];
  for (const match of text.matchAll(/^```(\w+) ?(.*)\n([^]*?)^```$/gm)) {
    const [, language = '', mark = '', body = ''] = match;
    const before = text.slice(0, match.index);
    const sentence = before.trimEnd().split('\n\n').at(-1) ?? '';
    found.push({
      language,
      mark,
      text: body,
      line: before.split('\n').length,
      file: /`([\w-]+\.(?:yaml|mjs|sh|py))`/.exec(sentence)?.[1],
    });
  }
  return found;
}
