import type { CST, Lexer } from 'yaml';

/** Deepest nesting of a document. */
export const maxDocumentDepth = 64;

/** A construct that is refused before the text is parsed. */
export interface Refusal {
  readonly message: string;
  /** Of its first character in the text. */
  readonly offset: number;
  /** Undefined: nothing better than the general hint. */
  readonly hint?: string | undefined;
}

/** The parts of the `yaml` package that the guard needs. */
export interface LexicalTools {
  readonly lexer: Lexer;
  readonly tokenType: typeof CST.tokenType;
}

/** Marks that the next lexeme is the text of a scalar; see the `yaml` package's CST documentation. */
const scalarMark = '\u001f';

const refusedTokens: { readonly [type: string]: string } = {
  alias: 'a YAML alias (*name) is refused',
  anchor: 'a YAML anchor (&name) is refused',
  tag: 'a YAML tag (!name) is refused',
  'directive-line': 'a YAML directive (%NAME) is refused',
};

const openings: ReadonlySet<string> = new Set(['flow-map-start', 'flow-seq-start']);
const closings: ReadonlySet<string> = new Set(['flow-map-end', 'flow-seq-end']);
const compactIndicators: ReadonlySet<string> = new Set([
  'seq-item-ind',
  'explicit-key-ind',
  'map-value-ind',
]);

/**
 * Looks for what could make parsing costly or surprising, in one pass over the lexemes and without
 * recursion: aliases, anchors, tags, directives and nesting written on one line.
 * Nesting by indentation needs text in the square of its depth, so that the size limit bounds it.
 */
export function refusedConstruct(text: string, tools: LexicalTools): Refusal | undefined {
  const state: GuardState = { depth: 0, onLine: 0 };
  let offset = 0;
  let inScalar = false;
  for (const lexeme of tools.lexer.lex(text)) {
    if (lexeme === scalarMark) {
      inScalar = true;
      continue;
    }
    const type = inScalar ? 'scalar' : tools.tokenType(lexeme);
    const message = refusedTokens[type ?? ''] ?? nestingFault(state, type);
    if (message !== undefined) return { message, offset, hint: hintFor(lexeme) };
    inScalar = false;
    if (type !== 'doc-mode' && type !== 'flow-error-end') offset += lexeme.length;
  }
  return undefined;
}

/** A condition without quotes: to YAML, `!` begins a tag. */
function hintFor(lexeme: string): string | undefined {
  return /^!+\$/.test(lexeme) ? "Quote the condition: when: '!${...}'." : undefined;
}

interface GuardState {
  depth: number;
  onLine: number;
}

function nestingFault(state: GuardState, type: string | null): string | undefined {
  if (type === null) return undefined;
  if (type === 'newline') state.onLine = 0;
  if (state.depth === 0 && compactIndicators.has(type)) state.onLine++;
  if (openings.has(type)) state.depth++;
  if (closings.has(type)) state.depth--;
  const deep =
    state.depth > maxDocumentDepth || (state.depth === 0 && state.onLine > maxDocumentDepth);
  return deep ? `nesting deeper than ${maxDocumentDepth} levels is refused` : undefined;
}
