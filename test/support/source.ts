import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import type { Program, Span, Statement } from 'oxc-parser';

/** One TypeScript or JavaScript file, as the tests about the code itself see it. */
export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly lines: number;
  /** Text of every comment. */
  readonly comments: readonly string[];
  /** Lines of each function of at least three lines, from its first to its last. */
  readonly functionLines: readonly number[];
  /** What the file declares and exports; names passed on from other files are not its own. */
  readonly exports: readonly ExportedName[];
  /** Every call of `describe`, `it` or `test`. */
  readonly testCalls: readonly TestCall[];
}

/** An exported declaration; `documented`: a doc comment stands right before it. */
export interface ExportedName {
  readonly name: string;
  readonly documented: boolean;
}

/** `it.each(rows)('adds')` has the modifier `each` and the title `adds`. */
export interface TestCall {
  readonly title: string | undefined;
  readonly modifiers: readonly string[];
}

const notOurs = ['.git', '.troupe', 'coverage', 'dist', 'node_modules'];

/** Paths of all files of a folder whose name matches, in order; nothing that was built or installed. None without the folder. */
export function listFiles(folder: string, name: RegExp): string[] {
  if (!existsSync(folder)) return [];
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = folder === '.' ? entry.name : join(folder, entry.name).split(sep).join('/');
    if (entry.isDirectory() && !notOurs.includes(entry.name)) found.push(...listFiles(path, name));
    else if (entry.isFile() && name.test(entry.name)) found.push(path);
  }
  return found.sort();
}

/** Parses every TypeScript and JavaScript file of the folders. */
export function readSources(...folders: string[]): SourceFile[] {
  const paths = folders.flatMap((folder) => listFiles(folder, /\.(ts|mjs)$/));
  return paths.map((path) => parseSource(path, readFileSync(path, 'utf8')));
}

/** Parses one file from its text. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, comments } = parseSync(path, text);
  const docEnds = comments
    .filter((comment) => comment.type === 'Block' && comment.value.startsWith('*'))
    .map((comment) => comment.end);
  const documented = (node: Span): boolean =>
    docEnds.some((end) => end <= node.start && text.slice(end, node.start).trim() === '');
  return {
    path,
    lines: text.trimEnd().split('\n').length,
    comments: comments.map((comment) => comment.value),
    functionLines: functionLines(program, text),
    exports: exportsOf(program, documented),
    testCalls: testCalls(program),
  };
}

/** Each name once: one doc comment speaks for all overloads of a function. */
function exportsOf(program: Program, documented: (node: Span) => boolean): ExportedName[] {
  const found = new Map<string, boolean>();
  for (const node of program.body) {
    for (const name of declaredNames(node)) {
      found.set(name, found.get(name) || documented(node));
    }
  }
  return [...found].map(([name, isDocumented]) => ({ name, documented: isDocumented }));
}

function functionLines(program: Program, text: string): number[] {
  const found: number[] = [];
  const measure = (node: Span): void => {
    const lines = text.slice(node.start, node.end).split('\n').length;
    if (lines >= 3) found.push(lines);
  };
  new Visitor({
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  }).visit(program);
  return found;
}

function declaredNames(node: Statement): string[] {
  if (node.type !== 'ExportNamedDeclaration' || !node.declaration) return [];
  const { declaration } = node;
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.map(({ id }) => (id.type === 'Identifier' ? id.name : '?'));
  }
  return 'id' in declaration && declaration.id?.type === 'Identifier' ? [declaration.id.name] : [];
}

function testCalls(program: Program): TestCall[] {
  const found: TestCall[] = [];
  new Visitor({
    CallExpression: ({ callee, arguments: [first] }) => {
      const chain = chainOf(callee);
      if (!chain || !['describe', 'it', 'test'].includes(chain[0] ?? '')) return;
      found.push({ title: titleOf(first), modifiers: chain.slice(1) });
    },
  }).visit(program);
  return found;
}

/** The names of `it.skip.each(...)`: it, skip, each. Undefined for any other shape. */
function chainOf(node: { type: string }): string[] | undefined {
  const { type, name, object, property, callee } = node as unknown as {
    type: string;
    name?: string;
    object?: { type: string };
    property?: { name?: string };
    callee?: { type: string };
  };
  if (type === 'Identifier') return [name ?? ''];
  if (type === 'CallExpression' && callee) return chainOf(callee);
  const before = type === 'MemberExpression' && object ? chainOf(object) : undefined;
  return before && [...before, property?.name ?? ''];
}

function titleOf(node: { type: string } | undefined): string | undefined {
  const literal = node as { type?: string; value?: unknown; quasis?: { value: { raw: string } }[] };
  if (literal?.type === 'Literal' && typeof literal.value === 'string') return literal.value;
  return literal?.quasis?.map((part) => part.value.raw).join(' ');
}
