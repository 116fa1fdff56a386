import type { Plain } from '../core/plain.ts';
import type { Draft, TaskDraft } from './draft.ts';
import { templateParts } from './expression.ts';
import type { Template } from './model.ts';

/** A condition, taken apart: `!`s, one expression, and perhaps a comparison with a literal. */
export interface Condition {
  readonly negated: boolean;
  /** With its `${` and `}`. */
  readonly expression: string;
  readonly comparison: { readonly operator: string; readonly literal: string } | undefined;
}

const conditionPattern = /^(!*)\s*(\$\{[^}]*\})(?:\s*(==|!=|>=|<=|>|<)(.+))?$/s;

/** The parts of a text that is a condition; undefined for any other text. */
export function conditionOf(text: string): Condition | undefined {
  const match = conditionPattern.exec(text.trim());
  if (!match) return undefined;
  const [, negations = '', expression = '', operator, literal = ''] = match;
  return {
    negated: negations.length % 2 === 1,
    expression,
    comparison: operator === undefined ? undefined : { operator, literal: literal.trim() },
  };
}

/** Finds conditions that say nothing that can be judged: they would always hold, or never. */
export function checkCondition({ id, when }: TaskDraft, { faults }: Draft): void {
  if (when === undefined || isReadable(when)) return;
  // An expression that cannot be read has a fault of its own.
  if (typeof when === 'string' && templateParts(when).some(({ kind }) => kind === 'malformed'))
    return;
  faults.add('TRP_WORKFLOW_INVALID', `when: cannot read ${brief(JSON.stringify(when))}`, {
    path: ['tasks', id, 'when'],
    hint: 'Write ${...}, !${...} or ${...} == value.',
  });
}

function isReadable(when: Template): boolean {
  if (typeof when === 'boolean') return true;
  if (typeof when !== 'string') return false;
  const condition = conditionOf(when);
  if (!condition) return /^(true|false)$/.test(when.trim());
  return condition.comparison === undefined || isLiteral(condition.comparison.literal);
}

/** Bare text that looks like more of a condition was meant as one; an expression on the right is never resolved. */
function isLiteral(literal: string): boolean {
  if (literal.includes('${')) return false;
  if (/^(?:"[^"]*"|'[^']*')$/s.test(literal)) return true;
  return !/&&|\|\||^[=!<>"']|["']$/.test(literal);
}

function brief(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Whether a value counts as true: not false, null, 0, empty text, the text `false` or an empty list. */
export function isTruthy(value: Plain): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return Boolean(value) && value !== 'false';
}
