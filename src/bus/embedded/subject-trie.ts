/**
 * A node of the trie: literal children by token, what ends here, and what has `>` here. Each is made when it is needed:
 * most nodes have one of the three.
 */
interface TrieNode<T> {
  children: Map<string, TrieNode<T>> | undefined;
  ending: Set<T> | undefined;
  trailing: Set<T> | undefined;
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
    if (trailing) (node.trailing ??= new Set()).add(item);
    else (node.ending ??= new Set()).add(item);
  }

  /** Removes the item and the branches that nobody needs any more. */
  delete(pattern: string, item: T): void {
    const tokens = pattern.split('.');
    const trailing = tokens.at(-1) === '>';
    if (trailing) tokens.pop();
    prune(this.root, { tokens, depth: 0 }, (node) => {
      if (trailing) node.trailing = without(node.trailing, item);
      else node.ending = without(node.ending, item);
    });
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
  return { children: undefined, ending: undefined, trailing: undefined };
}

function childOf<T>(node: TrieNode<T>, token: string): TrieNode<T> {
  node.children ??= new Map();
  let child = node.children.get(token);
  if (!child) {
    child = emptyNode();
    node.children.set(token, child);
  }
  return child;
}

function isEmpty<T>({ children, ending, trailing }: TrieNode<T>): boolean {
  return !children && !ending && !trailing;
}

function without<T>(items: Set<T> | undefined, item: T): Set<T> | undefined {
  items?.delete(item);
  return items?.size === 0 ? undefined : items;
}

interface Path {
  readonly tokens: readonly string[];
  depth: number;
}

function prune<T>(node: TrieNode<T>, path: Path, remove: (node: TrieNode<T>) => void): void {
  const token = path.tokens[path.depth++];
  if (token === undefined) return remove(node);
  const child = node.children?.get(token);
  if (!child) return;
  prune(child, path, remove);
  if (!isEmpty(child)) return;
  node.children?.delete(token);
  if (node.children?.size === 0) node.children = undefined;
}

interface Walk<T> {
  readonly tokens: readonly string[];
  readonly found: T[];
}

function collect<T>(node: TrieNode<T>, walk: Walk<T>, depth: number): void {
  const token = walk.tokens[depth];
  if (token === undefined) {
    if (node.ending) for (const item of node.ending) walk.found.push(item);
    return;
  }
  if (node.trailing) for (const item of node.trailing) walk.found.push(item);
  if (!node.children) return;
  const literal = node.children.get(token);
  if (literal) collect(literal, walk, depth + 1);
  const any = node.children.get('*');
  if (any) collect(any, walk, depth + 1);
}
