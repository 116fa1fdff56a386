import type { Lexer } from 'yaml';
import { FaultList } from './fault.ts';
import type { FaultSite, Position } from './fault.ts';

/** What the parser of the `yaml` package says about a text that is no YAML. */
export interface SyntaxProblem {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** A text that the parser refused. */
export interface RefusedText {
  readonly text: string;
  /** For messages. */
  readonly file: string;
  readonly problems: readonly SyntaxProblem[];
  readonly lines: { linePos(offset: number): { line: number; col: number } };
  readonly lexer: Lexer;
}

/** What to do about the parser's codes; the others speak for themselves. */
const hints: { readonly [code: string]: string } = {
  TAB_AS_INDENT: 'use spaces, not tabs',
  BAD_INDENT: 'Give the entries of one block the same indent, and close every bracket.',
  BLOCK_AS_IMPLICIT_KEY:
    'Put the inner mapping on lines of its own, or quote a text that has ": ".',
  MULTILINE_IMPLICIT_KEY: 'A ":" is missing behind the line before, or the indent is wrong.',
  BAD_SCALAR_START: 'Quote the text.',
  UNEXPECTED_TOKEN: 'Look for a missing comma, quote or bracket before it, and at the indent.',
  MISSING_CHAR: 'Close what is open: a quote, a bracket or a key without its ":".',
};

/** Expressions without quotes that are told. */
const maxUnquoted = 20;

/**
 * The faults of a text that the parser refused: every unquoted expression in a flow mapping or list, and the
 * first problem that stands before them. What follows the first problem only echoes it.
 */
export function syntaxFaults(refused: RefusedText): FaultList {
  let position: Position = { line: 1, column: 1 };
  const faults = new FaultList(refused.file, () => position);
  const goTo = (offset: number): void => {
    const { line, col } = refused.lines.linePos(offset);
    position = { line, column: col };
  };
  const unquoted = unquotedExpressions(refused.text, refused.lexer);
  const first = refused.problems.toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  if (first && first.pos[0] < (unquoted[0]?.offset ?? Infinity)) {
    goTo(first.pos[0]);
    addProblem(first, faults);
  }
  for (const { offset, fixed } of unquoted.slice(0, maxUnquoted)) {
    goTo(offset);
    faults.add('TRP_WORKFLOW_SYNTAX', `quote the expression: ${fixed}`, unquotedSite);
  }
  return faults;
}

const unquotedSite: FaultSite = { path: [], hint: 'Without quotes, { begins a mapping here.' };

function addProblem({ code, message }: SyntaxProblem, faults: FaultList): void {
  if (code === 'MULTIPLE_DOCS')
    faults.add('TRP_WORKFLOW_HOSTILE', 'a second document in the same text is refused', []);
  else faults.add('TRP_WORKFLOW_SYNTAX', message, { path: [], hint: hints[code] });
}

interface Unquoted {
  /** Where the text with the expression begins. */
  readonly offset: number;
  /** The entry as it works. */
  readonly fixed: string;
}

/** In flow mappings and lists the lexer ends a plain text at `{`, so that `${x}` falls into `$` and a mapping. */
function unquotedExpressions(text: string, lexer: Lexer): readonly Unquoted[] {
  const found: Unquoted[] = [];
  let offset = 0;
  let before = { lexeme: '', offset: 0 };
  let goOnAt = 0;
  for (const lexeme of lexer.lex(text)) {
    if (marks.has(lexeme)) continue;
    if (lexeme === '{' && /^(?!["']).*\$$/s.test(before.lexeme) && before.offset >= goOnAt) {
      const end = offset + endOfText(text.slice(offset, offset + maxShown));
      found.push({ offset: before.offset, fixed: fixedEntry(text, before.offset, end) });
      goOnAt = end;
    }
    before = { lexeme, offset };
    offset += lexeme.length;
  }
  return found;
}

/** Lexemes that stand for nothing in the text: the start of a document, a scalar, and a flow that breaks off. */
const marks: ReadonlySet<string> = new Set(['\u0002', '\u001f', '\u0018']);

/** Longest text that is shown as it should be. */
const maxShown = 200;

/** Where a text that goes on with `{...}` was meant to end: at a comma, bracket or line end outside of braces. */
function endOfText(text: string): number {
  const match = /^(?:\{[^{}\n]*\}|[^{}[\],\n#])*/.exec(text);
  return match?.[0].trimEnd().length || 1;
}

function fixedEntry(text: string, start: number, end: number): string {
  const key = /(?:^|[\s,{])([\w.-]{1,128})\s*:\s*$/.exec(
    text.slice(Math.max(0, start - 200), start),
  );
  const quoted = `'${text.slice(start, end).replaceAll("'", "''")}'`;
  return key ? `${key[1]}: ${quoted}` : quoted;
}
