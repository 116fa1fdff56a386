/** Whether a token or pattern stands for more than one key. */
export function isWildcard(pattern: string): boolean {
  return pattern.includes('*') || pattern.includes('>');
}

/** Whether some key fits both patterns: `*` is one token, `>` or a trailing `.*` is the rest (one token or more). */
export function patternsOverlap(a: string, b: string): boolean {
  if (!isWildcard(a) && !isWildcard(b)) return a === b;
  const left = a.split('.');
  const right = b.split('.');
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    if (left[index] === undefined || right[index] === undefined) return false;
    if (isRest(left, index) || isRest(right, index)) return true;
    if (left[index] !== '*' && right[index] !== '*' && left[index] !== right[index]) return false;
  }
  return true;
}

function isRest(tokens: readonly string[], index: number): boolean {
  return (
    tokens[index] === '>' || (tokens[index] === '*' && index > 0 && index === tokens.length - 1)
  );
}
