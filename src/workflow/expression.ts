/** What one `${...}` refers to. */
export interface Reference {
  /** The first word: tasks, groups, input, memory, item, index, shard or aspect. */
  readonly root: string;
  /** The words after it; list indexes as digits. Of `memory`, the whole rest is one key. */
  readonly path: readonly string[];
  /** As written, without `${` and `}`. */
  readonly expression: string;
}

/** A piece of a string template: text, an expression, or something that begins like one and is none. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reference'; readonly reference: Reference }
  | { readonly kind: 'malformed'; readonly text: string };

/** The words that an expression may begin with. */
export const templateRoots = [
  'tasks',
  'groups',
  'input',
  'memory',
  'item',
  'index',
  'shard',
  'aspect',
] as const;

const pathPattern = /^[A-Za-z_]\w*(?:\.[^.[\]{}\s]+|\[\d+\])*$/;

/** Splits a string into text and expressions; `$${` is the text `${`. Takes linear time. */
export function templateParts(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let text = '';
  let from = 0;
  for (let start = template.indexOf('${'); start >= 0; start = template.indexOf('${', from)) {
    if (template[start - 1] === '$' && start > from) {
      text += `${template.slice(from, start - 1)}\${`;
      from = start + 2;
      continue;
    }
    const end = template.indexOf('}', start);
    text += template.slice(from, start);
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
    if (end < 0) return [...parts, { kind: 'malformed', text: template.slice(start) }];
    parts.push(partOf(template.slice(start + 2, end)));
    from = end + 1;
  }
  text += template.slice(from);
  if (text !== '') parts.push({ kind: 'text', text });
  return parts;
}

function partOf(inner: string): TemplatePart {
  const expression = inner.trim();
  const reference = referenceOf(expression);
  return reference ? { kind: 'reference', reference } : { kind: 'malformed', text: `\${${inner}}` };
}

function referenceOf(expression: string): Reference | undefined {
  if (/^memory\.\S+$/.test(expression)) {
    return { root: 'memory', path: [expression.slice('memory.'.length)], expression };
  }
  if (!pathPattern.test(expression)) return undefined;
  const [root = '', ...path] = expression.replaceAll('[', '.').replaceAll(']', '').split('.');
  return { root, path, expression };
}
