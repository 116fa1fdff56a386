/**
 * Finding functions and how hard they are, by braces or by indentation.
 *
 * Cyclomatic complexity (McCabe, 1976) is counted as one plus the branch words and short-circuit
 * operators of a function's own lines; an inner function counts for itself.
 *
 * @typedef {object} FunctionFacts
 * @property {string} name
 * @property {number} line First line, from 1.
 * @property {number} lines
 * @property {number} complexity
 * @property {number} nesting Deepest nesting of control blocks.
 *
 * @typedef {object} Block
 * @property {'function' | 'control' | 'plain'} kind
 * @property {FunctionFacts | undefined} facts
 * @property {string} header What stood before the brace.
 * @property {boolean} inside True when it was opened within parentheses.
 *
 * @typedef {object} Walk
 * @property {Block[]} open
 * @property {FunctionFacts[]} found
 * @property {number} line
 * @property {string} header
 * @property {number} headerLine
 * @property {number} parens
 * @property {number} loose Branches outside every function.
 */

const control =
  /^(?:else\s+)?(?:if|for|foreach|while|switch|catch|else|do|try|finally|with|case|default|match|when|guard|unless|until|loop|select|synchronized|lock|using|unsafe|defer|go|return)\b/;
const branch =
  /^(?:if|for|foreach|while|case|catch|elif|elsif|except|when|unless|until|rescue|guard|and|or|&&|\|\||\?\?|\?)$/;
const braceToken = /[{}();\n]|[\w$]+|&&|\|\||\?\?(?!=)|\?(?=\s)|[^\s\w$]|[^\S\n]+/g;
const declared =
  /(?:^|[\s*&.:#!])([A-Za-z_$~][\w$]*[!?]?)\s*(?:<[^(){}]*>)?\s*\(\)\s*(?:(?:const|noexcept|override|final|async|mutating|throws)\b[\w\s.,]*)?(?:(?::|->|\bwhere\b)[^=]*)?$/;

/**
 * @param {readonly string[]} code Lines without comments and strings.
 * @param {import('./languages.mjs').Family} family
 * @returns {{ readonly functions: FunctionFacts[], readonly loose: number }}
 */
export function functionsIn(code, family) {
  if (family === 'python' || family === 'ruby') return byIndent(code);
  return family === 'c' || family === 'javascript' || family === 'hash'
    ? byBraces(code)
    : { functions: [], loose: 0 };
}

/** @param {readonly string[]} code */
function byBraces(code) {
  /** @type {Walk} */
  const walk = { open: [], found: [], line: 1, header: '', headerLine: 1, parens: 0, loose: 0 };
  const text = code.join('\n').replaceAll('\u0001', ' ');
  for (const [token] of text.matchAll(braceToken)) step(walk, token);
  return { functions: walk.found.sort((a, b) => a.line - b.line), loose: walk.loose };
}

/** @type {{ readonly [token: string]: (walk: Walk) => void }} */
const steps = {
  '\n': (walk) => {
    walk.line += 1;
    walk.header += ' ';
  },
  '{': openBlock,
  '}': closeBlock,
  '(': (walk) => {
    walk.parens += 1;
    walk.header += '(';
  },
  ')': (walk) => {
    walk.parens = Math.max(0, walk.parens - 1);
    walk.header += ')';
  },
  ';': (walk) => {
    walk.header = '';
  },
};

/**
 * @param {Walk} walk
 * @param {string} token
 */
function step(walk, token) {
  const special = Object.hasOwn(steps, token) ? steps[token] : undefined;
  if (special !== undefined) return special(walk);
  if (walk.header.trim() === '' && token.trim() !== '') walk.headerLine = walk.line;
  /* `promise.catch(...)` is a call, not a branch. */
  if (branch.test(token) && !walk.header.endsWith('.')) countBranch(walk);
  /* A header that never ends is data; keep the tail, which decides. */
  walk.header = (walk.header + token).slice(-600);
}

/** @param {Walk} walk */
function countBranch(walk) {
  const owner = walk.open.findLast((block) => block.facts !== undefined)?.facts;
  if (owner === undefined) walk.loose += 1;
  else owner.complexity += 1;
}

/** @param {Walk} walk */
function openBlock(walk) {
  const name = functionName(walk.header);
  const kind =
    name !== undefined ? 'function' : control.test(walk.header.trim()) ? 'control' : 'plain';
  const facts =
    name === undefined
      ? undefined
      : { name, line: startLine(walk), lines: 1, complexity: 1, nesting: 0 };
  walk.open.push({ kind, facts, header: walk.header, inside: walk.parens > 0 });
  if (kind === 'control') noteNesting(walk.open);
  walk.header = '';
  /* Parentheses opened before a body (a call that takes a function) are counted anew within it. */
  if (kind === 'function') walk.parens = 0;
}

/** @param {Walk} walk An arrow function begins where its arrow stands; others where their header does. */
function startLine(walk) {
  return walk.header.trimEnd().endsWith('=>') && walk.parens > 0 ? walk.line : walk.headerLine;
}

/** @param {readonly Block[]} open */
function noteNesting(open) {
  const at = open.findLastIndex((block) => block.facts !== undefined);
  const facts = open[at]?.facts;
  if (facts === undefined) return;
  const depth = open.slice(at).filter((block) => block.kind === 'control').length;
  facts.nesting = Math.max(facts.nesting, depth);
}

/** @param {Walk} walk */
function closeBlock(walk) {
  const block = walk.open.pop();
  if (block === undefined) return;
  if (block.facts !== undefined) {
    block.facts.lines = walk.line - block.facts.line + 1;
    walk.found.push(block.facts);
  }
  /* A pattern among parameters, a type after them, or one in angle brackets does not end the header. */
  const goesOn =
    block.kind === 'plain' &&
    (block.inside || /\)\s*:[^;{}]*$|\bfunction\b[^;{}()]*<[^;{}>]*$/.test(block.header));
  walk.header = goesOn ? `${block.header}_` : '';
  if (block.kind === 'function') walk.parens = block.inside ? 1 : 0;
}

/**
 * The name of the function whose body a brace opens; undefined when it opens something else.
 *
 * @param {string} header
 * @returns {string | undefined}
 */
function functionName(header) {
  const flat = flattened(header.trim());
  if (flat.endsWith('=>')) return arrowName(flat);
  const keyword = functionWord.exec(flat);
  if (keyword !== null)
    return hasParameters(flat.slice(keyword.index)) ? (keyword[1] ?? 'anonymous') : undefined;
  if (control.test(flat) || /=(?!>)|\b(?:new|class|struct|enum|interface|trait|impl)\b/.test(flat))
    return undefined;
  return declared.exec(flat)?.[1];
}

const functionWord = /\b(?:function|func|fn|fun|def|sub)\b\s*\*?\s*(?:\(\)\s*)?([A-Za-z_$][\w$]*)?/;

/**
 * Closed parameters, or none at all as in shells: a brace before that opens a pattern or a type.
 *
 * @param {string} text From the word on, its parentheses emptied.
 */
function hasParameters(text) {
  if (/^(?:function|sub)\s+[\w:-]+\s*$/.test(text)) return true;
  return text.includes('()') && !text.replaceAll('()', '').includes('(');
}

/** @param {string} header Parentheses emptied, innermost first, a few levels deep. */
function flattened(header) {
  let flat = header;
  for (let level = 0; level < 4; level += 1) flat = flat.replace(/\([^()]+\)/g, '()');
  return flat;
}

/** @param {string} flat */
function arrowName(flat) {
  /* The name stands near the arrow; a bound keeps hostile headers cheap. */
  const near = flat.slice(-120);
  return (
    /([A-Za-z_$][\w$]*)\s*(?::[^=]+)?[=:]\s*(?:async\s*)?(?:\(\)|[\w$]+)?[^=]*=>$/.exec(
      near,
    )?.[1] ?? 'anonymous'
  );
}

const indentHeader = /^\s*(?:async\s+)?(?:def|defp)\s+(?:self\.)?([A-Za-z_]\w*[!?]?)/;
const indentControl =
  /^\s*(?:if|elif|elsif|else|for|while|try|except|finally|with|unless|until|case|when|begin|rescue)\b/;
const indentBranch =
  /\b(?:if|for|while|elif|elsif|except|and|or|when|unless|until|rescue|case)\b|&&|\|\|/g;

/** @param {readonly string[]} code */
function byIndent(code) {
  /** @type {{ indent: number, facts: FunctionFacts | undefined }[]} */
  const open = [];
  /** @type {FunctionFacts[]} */
  const functions = [];
  let loose = 0;
  for (const [index, line] of code.entries()) {
    if (!/[^\s\u0001]/.test(line)) continue;
    const indent = line.length - line.trimStart().length;
    while (open.length > 0 && (open.at(-1)?.indent ?? -1) >= indent) open.pop();
    const facts = openIndented(open, { line, indent, index });
    if (facts !== undefined) functions.push(facts);
    loose += countIndented(open, line, index);
  }
  return { functions, loose };
}

/**
 * @param {{ indent: number, facts: FunctionFacts | undefined }[]} open
 * @param {{ readonly line: string, readonly indent: number, readonly index: number }} at
 */
function openIndented(open, { line, indent, index }) {
  const name = indentHeader.exec(line)?.[1];
  const facts =
    name === undefined ? undefined : { name, line: index + 1, lines: 1, complexity: 1, nesting: 0 };
  if (facts !== undefined || indentControl.test(line)) open.push({ indent, facts });
  return facts;
}

/**
 * Books a line with every function that it lies in; returns the branches that lie in none.
 *
 * @param {readonly { indent: number, facts: FunctionFacts | undefined }[]} open
 * @param {string} line
 * @param {number} index
 */
function countIndented(open, line, index) {
  for (const { facts } of open) if (facts !== undefined) facts.lines = index + 2 - facts.line;
  const branches = line.match(indentBranch)?.length ?? 0;
  const at = open.findLastIndex((block) => block.facts !== undefined);
  const facts = open[at]?.facts;
  if (facts === undefined) return branches;
  facts.complexity += branches;
  facts.nesting = Math.max(facts.nesting, open.length - at - 1);
  return 0;
}
