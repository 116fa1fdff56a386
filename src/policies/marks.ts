/**
 * An immutable set of whole numbers from 0, made for "has this member arrived?". A radix tree of 32-bit
 * words, 32 ways: adding copies one path (at most 4 short arrays for a million numbers), so that a state
 * that holds it stays a value and an event stays cheap.
 */
export interface Marks {
  /** Levels of arrays above the words. */
  readonly depth: number;
  readonly root: MarkNode;
}

type MarkNode = number | readonly MarkNode[];

const bitsPerLevel = 5;
const lowBits = 31;

/** A set with nothing in it that has room for the numbers 0 to `size - 1`. */
export function emptyMarks(size: number): Marks {
  let depth = 0;
  while (2 ** (bitsPerLevel * (depth + 1)) < size) depth++;
  return { depth, root: 0 };
}

/** Whether `index` was added. */
export function hasMark(marks: Marks, index: number): boolean {
  let node: MarkNode | undefined = marks.root;
  for (let level = marks.depth; level > 0 && typeof node === 'object'; level--) {
    node = node[slotAt(index, level)];
  }
  return typeof node === 'number' && (node & (1 << (index & lowBits))) !== 0;
}

/** The set with `index` in it; the given one stays as it is. */
export function withMark(marks: Marks, index: number): Marks {
  return { depth: marks.depth, root: marked(marks.root, index, marks.depth) };
}

function marked(node: MarkNode | undefined, index: number, level: number): MarkNode {
  if (level === 0) return (typeof node === 'number' ? node : 0) | (1 << (index & lowBits));
  const children: MarkNode[] = typeof node === 'object' ? [...node] : [];
  const slot = slotAt(index, level);
  while (children.length < slot) children.push(0);
  children[slot] = marked(children[slot], index, level - 1);
  return children;
}

function slotAt(index: number, level: number): number {
  return (index >>> (bitsPerLevel * level)) & lowBits;
}
