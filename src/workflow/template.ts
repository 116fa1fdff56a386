import { canonicalJson } from '../core/canonical.ts';
import { TroupeError } from '../core/errors.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import { conditionOf, isTruthy } from './condition.ts';
import { templateParts } from './expression.ts';
import type { Reference, TemplatePart } from './expression.ts';
import type { Template } from './model.ts';

export type { Reference } from './expression.ts';

/** Where expressions find their values. */
export interface TemplateScope {
  /** The value at a path below a root, or undefined; {@link valueAt} walks the part inside a value. */
  lookup(root: string, path: readonly string[]): Plain | undefined;
}

/** How {@link resolveTemplate} treats an expression that finds nothing. */
export interface ResolveOptions {
  /** Null instead of an error. Default false. */
  readonly lenient?: boolean;
}

/** Every expression in a template, in order; one that stands twice is listed twice. */
export function references(template: Template): readonly Reference[] {
  const found: Reference[] = [];
  collect(template, found);
  return found;
}

/**
 * A template with its expressions replaced. A string that is exactly one expression becomes the raw value;
 * otherwise values are written into the text, lists and objects as JSON. `$${` stands for `${`.
 * @throws TroupeError TRP_INPUT_UNRESOLVED naming an expression that found nothing (not when lenient) or
 * cannot be read.
 */
export function resolveTemplate(
  template: Template,
  scope: TemplateScope,
  options: ResolveOptions = {},
): Plain {
  if (typeof template === 'string') return resolveText(template, scope, options);
  if (typeof template !== 'object' || template === null || template instanceof Uint8Array)
    return template;
  if (Array.isArray(template))
    return (template as readonly Plain[]).map((item) => resolveTemplate(item, scope, options));
  const entries = Object.entries(template as PlainObject);
  return Object.fromEntries(
    entries.map(([key, item]) => [key, resolveTemplate(item, scope, options)]),
  );
}

/**
 * Whether a condition holds: the truth of a template, `!${...}`, or a comparison (`==`, `!=`, `>`, `>=`,
 * `<`, `<=`) of one expression with a literal on its right: a number, true, false, null, quoted or bare text.
 * False are false, null, 0, empty text, the text `false` and empty lists. What an expression does not find is
 * null; ordering compares two numbers or two texts and is false for anything else. Validation refuses what is
 * none of these; here it holds as its text does.
 */
export function conditionHolds(template: Template, scope: TemplateScope): boolean {
  const condition = typeof template === 'string' ? conditionOf(template) : undefined;
  if (!condition) return isTruthy(resolveTemplate(template, scope, { lenient: true }));
  const { negated, expression, comparison } = condition;
  const value = resolveTemplate(expression, scope, { lenient: true });
  const holds = comparison
    ? compare(value, comparison.operator, literalOf(comparison.literal))
    : isTruthy(value);
  return negated ? !holds : holds;
}

/** The value at a path inside a value: own properties, list indexes, and `length` of a list. Undefined: none. */
export function valueAt(value: Plain | undefined, path: readonly string[]): Plain | undefined {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || current instanceof Uint8Array)
      return undefined;
    if (!Object.hasOwn(current, part)) return undefined;
    current = (current as PlainObject)[part];
  }
  return current;
}

function collect(template: Template, found: Reference[]): void {
  if (typeof template === 'string') {
    for (const part of templateParts(template))
      if (part.kind === 'reference') found.push(part.reference);
  } else if (
    typeof template === 'object' &&
    template !== null &&
    !(template instanceof Uint8Array)
  ) {
    for (const item of Object.values(template as PlainObject)) collect(item, found);
  }
}

function resolveText(text: string, scope: TemplateScope, options: ResolveOptions): Plain {
  if (!text.includes('${')) return text;
  const parts = templateParts(text);
  const [only] = parts;
  if (parts.length === 1 && only) return resolvePart(only, scope, options);
  return parts.map((part) => asText(resolvePart(part, scope, options))).join('');
}

function resolvePart(part: TemplatePart, scope: TemplateScope, options: ResolveOptions): Plain {
  if (part.kind === 'text') return part.text;
  if (part.kind === 'malformed') throw unresolved(part.text, 'cannot be read');
  const { root, path, expression } = part.reference;
  const value = scope.lookup(root, path);
  if (value !== undefined) return value;
  if (options.lenient === true) return null;
  throw unresolved(`\${${expression}}`, 'found nothing');
}

function unresolved(expression: string, fault: string): TroupeError {
  const shown = expression.length > 200 ? `${expression.slice(0, 197)}...` : expression;
  return new TroupeError('TRP_INPUT_UNRESOLVED', `${shown} ${fault}`, { place: shown });
}

function asText(value: Plain): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString('base64') : item,
  );
}

function literalOf(text: string): Plain {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  if (quoted) return quoted[2] ?? '';
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function compare(left: Plain, operator: string, right: Plain): boolean {
  if (operator === '==') return canonicalJson(left) === canonicalJson(right);
  if (operator === '!=') return canonicalJson(left) !== canonicalJson(right);
  const order = orderOf(left, right);
  if (order === undefined) return false;
  if (operator === '>') return order > 0;
  if (operator === '>=') return order >= 0;
  return operator === '<' ? order < 0 : order <= 0;
}

function orderOf(left: Plain, right: Plain): number | undefined {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left !== 'string' || typeof right !== 'string') return undefined;
  return Number(left > right) - Number(left < right);
}
