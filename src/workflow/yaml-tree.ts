import type { LineCounter, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Plain } from '../core/plain.ts';
import type { DocumentPath, FaultList, Locate, PointAt } from './fault.ts';
import { maxDocumentDepth } from './yaml-guard.ts';
import { sourceSpellings } from './aliases.ts';

/** The type guards of the `yaml` package, passed in because the package is loaded when first used. */
export interface NodeGuards {
  isMap(node: unknown): node is YAMLMap;
  isSeq(node: unknown): node is YAMLSeq;
  isScalar(node: unknown): node is Scalar;
}

const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', '<<']);

/** Whether a key could reach into prototypes or merge mappings. */
export function isForbiddenKey(key: string): boolean {
  return forbiddenKeys.has(key);
}

/** The text of the fault about a key of {@link isForbiddenKey}. */
export function forbiddenKeyMessage(key: string): string {
  return `the key "${key}" is refused`;
}

/** A tree of YAML nodes and where they stand. */
export class YamlTree {
  private readonly root: unknown;
  private readonly guards: NodeGuards;
  private readonly lines: LineCounter;
  private readonly pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(root: unknown, guards: NodeGuards, lines: LineCounter) {
    this.root = root;
    this.guards = guards;
    this.lines = lines;
  }

  /** The tree as plain data; what may not be in a document becomes a fault and is left out. */
  toPlain(faults: FaultList): Plain {
    return this.valueOf(this.root, [], faults);
  }

  /** Where a path stands; a path that the text lacks stands where its nearest ancestor does. */
  readonly locate: Locate = (path, point) => {
    const { line, col } = this.lines.linePos(this.offsetOf(path, point));
    return { line, column: col };
  };

  private valueOf(node: unknown, path: DocumentPath, faults: FaultList): Plain {
    if (path.length > maxDocumentDepth) {
      faults.add(
        'TRP_WORKFLOW_HOSTILE',
        `nesting deeper than ${maxDocumentDepth} levels is refused`,
        path,
      );
      return null;
    }
    if (this.guards.isMap(node)) return this.mapOf(node, path, faults);
    if (this.guards.isSeq(node))
      return node.items.map((item, index) => this.valueOf(item, [...path, index], faults));
    return this.scalarOf(node, path, faults);
  }

  private mapOf(node: YAMLMap, path: DocumentPath, faults: FaultList): Plain {
    const entries = new Map<string, Plain>();
    for (const { key, value } of node.items) {
      const name = this.keyOf(key, path, faults);
      if (name === undefined) continue;
      const here = [...path, name];
      if (entries.has(name)) this.addDuplicate(name, { here, key }, faults);
      else entries.set(name, this.valueOf(value, here, faults));
    }
    return Object.fromEntries(entries);
  }

  private addDuplicate(
    name: string,
    at: { here: DocumentPath; key: unknown },
    faults: FaultList,
  ): void {
    const first = this.locate(at.here, 'key').line;
    const again = this.lines.linePos(startOf(at.key)).line;
    const hint = `It stands on line ${first} and again on line ${again}. Remove or rename one.`;
    faults.add('TRP_WORKFLOW_DUPLICATE_KEY', `the key "${name}" stands twice`, {
      path: at.here,
      point: 'key',
      hint,
    });
  }

  private keyOf(key: unknown, path: DocumentPath, faults: FaultList): string | undefined {
    const held = this.guards.isScalar(key) ? key.value : undefined;
    const name = typeof held === 'number' ? String(held) : held;
    if (typeof name === 'string' && !isForbiddenKey(name)) return name;
    const message =
      typeof name === 'string' ? forbiddenKeyMessage(name) : 'a key that is not text is refused';
    faults.add('TRP_WORKFLOW_HOSTILE', message, {
      path: typeof name === 'string' ? [...path, name] : path,
      point: 'key',
    });
    return undefined;
  }

  private scalarOf(node: unknown, path: DocumentPath, faults: FaultList): Plain {
    const held = this.guards.isScalar(node) ? node.value : null;
    if (typeof held === 'string' || typeof held === 'boolean' || held === null) return held;
    if (typeof held === 'number' && Number.isFinite(held)) return held;
    faults.add('TRP_WORKFLOW_INVALID', 'expected text, a finite number, true, false or null', path);
    return null;
  }

  private offsetOf(path: DocumentPath, point: PointAt): number {
    let node = this.root;
    let offset = startOf(node);
    for (const [depth, part] of path.entries()) {
      const pair = this.guards.isMap(node) ? this.pairOf(node, part) : undefined;
      const next: unknown = this.guards.isSeq(node) ? node.items[Number(part)] : pair?.value;
      if (next === undefined && !pair) return offset;
      const last = depth === path.length - 1;
      offset = startOf(pair && ((last && point === 'key') || isEmpty(next)) ? pair.key : next);
      node = next;
    }
    return offset;
  }

  private pairOf(map: YAMLMap, part: string | number): Pair | undefined {
    let index = this.pairs.get(map);
    if (!index) {
      index = new Map([...map.items].reverse().map((pair) => [this.textOf(pair.key), pair]));
      this.pairs.set(map, index);
    }
    const known = index.get(String(part));
    if (known) return known;
    const spelling = sourceSpellings(String(part)).find((name) => index.has(name));
    return spelling === undefined ? undefined : index.get(spelling);
  }

  private textOf(key: unknown): string {
    return this.guards.isScalar(key) ? String(key.value) : '';
  }
}

function startOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}

/** A key without a value has an empty node behind the colon; the key is the better place to point at. */
function isEmpty(node: unknown): boolean {
  const range = (node as Node | null | undefined)?.range;
  return !range || range[0] === range[1];
}
