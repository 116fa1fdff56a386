/** A node of the trie: literal children by token, subscribers whose pattern ends here, and those of `>`. */
interface TrieNode<T> {
  readonly children: Map<string, TrieNode<T>>;
  readonly ending: Set<T>;
  readonly trailing: Set<T>;
}

/**
 * Patterns by token. Matching a subject of k tokens visits at most 2^k nodes, and k in all usual cases,
 * however many patterns there are.
 */
export class SubjectTrie<T> {
  private readonly root: TrieNode<T> = emptyNode();

  add(pattern: string, item: T): void {
    const tokens = pattern.split('.');
    const trailing = tokens.at(-1) === '>';
    if (trailing) tokens.pop();
    let node = this.root;
    for (const token of tokens) node = childOf(node, token);
    (trailing ? node.trailing : node.ending).add(item);
  }

  /** Removes the item and the branches that nobody needs any more. */
  delete(pattern: string, item: T): void {
    const tokens = pattern.split('.');
    const trailing = tokens.at(-1) === '>';
    if (trailing) tokens.pop();
    prune(this.root, tokens, (node) => (trailing ? node.trailing : node.ending).delete(item));
  }

  /** Everything whose pattern fits the subject, in no particular order. */
  match(subject: string): T[] {
    const found: T[] = [];
    collect(this.root, { tokens: subject.split('.'), found }, 0);
    return found;
  }

  get isEmpty(): boolean {
    return isEmpty(this.root);
  }
}

function emptyNode<T>(): TrieNode<T> {
  return { children: new Map(), ending: new Set(), trailing: new Set() };
}

function childOf<T>(node: TrieNode<T>, token: string): TrieNode<T> {
  let child = node.children.get(token);
  if (!child) {
    child = emptyNode();
    node.children.set(token, child);
  }
  return child;
}

function isEmpty<T>(node: TrieNode<T>): boolean {
  return node.children.size === 0 && node.ending.size === 0 && node.trailing.size === 0;
}

function prune<T>(
  node: TrieNode<T>,
  tokens: readonly string[],
  remove: (node: TrieNode<T>) => void,
): void {
  const [token, ...rest] = tokens;
  if (token === undefined) return remove(node);
  const child = node.children.get(token);
  if (!child) return;
  prune(child, rest, remove);
  if (isEmpty(child)) node.children.delete(token);
}

interface Walk<T> {
  readonly tokens: readonly string[];
  readonly found: T[];
}

function collect<T>(node: TrieNode<T>, walk: Walk<T>, depth: number): void {
  const token = walk.tokens[depth];
  if (token === undefined) {
    for (const item of node.ending) walk.found.push(item);
    return;
  }
  for (const item of node.trailing) walk.found.push(item);
  const literal = node.children.get(token);
  if (literal) collect(literal, walk, depth + 1);
  const any = node.children.get('*');
  if (any) collect(any, walk, depth + 1);
}
