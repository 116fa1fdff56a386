/** A set of memory key patterns that can be asked which of them overlap with another. */
export interface PatternIndex {
  /** Patterns of the set that share at least one possible key with `pattern`, itself included when it is in the set. */
  overlapping(pattern: string): string[];
}

interface TrieNode {
  readonly children: Map<string, TrieNode>;
  /** The pattern that ends here. */
  pattern: string | undefined;
  /** The pattern that covers everything below here. */
  rest: string[];
}

/**
 * Indexes memory key patterns: tokens between dots, `*` for one token, `>` or a trailing `.*` for one or
 * more. A trie, so that a lookup costs the tokens it can match and not the size of the set.
 */
export function patternIndex(patterns: Iterable<string>): PatternIndex {
  const root = emptyNode();
  for (const pattern of new Set(patterns)) insert(root, pattern);
  return {
    overlapping: (pattern) => {
      const found = new Set<string>();
      const { tokens, rest } = parsed(pattern);
      collect(root, { tokens, rest, found }, 0);
      return [...found].sort();
    },
  };
}

/** Whether some key matches both patterns. */
export function patternsOverlap(one: string, other: string): boolean {
  return patternIndex([one]).overlapping(other).length > 0;
}

/** Whether the pattern can match more than one key. */
export function isWild(pattern: string): boolean {
  const { tokens, rest } = parsed(pattern);
  return rest || tokens.includes('*');
}

function emptyNode(): TrieNode {
  return { children: new Map(), pattern: undefined, rest: [] };
}

/** A lone `*` is one token; behind a dot at the end it is the rest. */
function parsed(pattern: string): { readonly tokens: readonly string[]; readonly rest: boolean } {
  const tokens = pattern.split('.');
  const last = tokens.at(-1);
  const rest = last === '>' || (last === '*' && tokens.length > 1);
  return { tokens: rest ? tokens.slice(0, -1) : tokens, rest };
}

function insert(root: TrieNode, pattern: string): void {
  const { tokens, rest } = parsed(pattern);
  let node = root;
  for (const token of tokens) {
    const child = node.children.get(token) ?? emptyNode();
    node.children.set(token, child);
    node = child;
  }
  if (rest) node.rest.push(pattern);
  else node.pattern = pattern;
}

interface Query {
  readonly tokens: readonly string[];
  readonly rest: boolean;
  readonly found: Set<string>;
}

function collect(node: TrieNode, query: Query, depth: number): void {
  const atEnd = depth === query.tokens.length;
  if (!atEnd || query.rest) for (const pattern of node.rest) query.found.add(pattern);
  if (atEnd) {
    if (query.rest) for (const child of node.children.values()) collectBelow(child, query.found);
    else if (node.pattern !== undefined) query.found.add(node.pattern);
    return;
  }
  for (const child of matchingChildren(node, query.tokens[depth] ?? ''))
    collect(child, query, depth + 1);
}

function matchingChildren(node: TrieNode, token: string): TrieNode[] {
  if (token === '*') return [...node.children.values()];
  return [node.children.get(token), node.children.get('*')].filter((child) => child !== undefined);
}

function collectBelow(node: TrieNode, found: Set<string>): void {
  if (node.pattern !== undefined) found.add(node.pattern);
  for (const pattern of node.rest) found.add(pattern);
  for (const child of node.children.values()) collectBelow(child, found);
}
