/** Whether a name's tokens fit a pattern's: `*` is any one token, a last `>` is one token or more. */
export function tokensMatch(pattern: readonly string[], tokens: readonly string[]): boolean {
  for (let index = 0; index < pattern.length; index++) {
    const wanted = pattern[index];
    if (wanted === '>' && index === pattern.length - 1) return tokens.length > index;
    if (index >= tokens.length) return false;
    if (wanted !== '*' && wanted !== tokens[index]) return false;
  }
  return tokens.length === pattern.length;
}

/**
 * A memory key pattern as a test of keys: `*` is one token, `>` or a trailing `.*` the rest (one token or
 * more), anything else itself. A pattern without wildcards matches one key.
 */
export function keyPattern(pattern: string): (key: string) => boolean {
  if (pattern === '>') return () => true;
  if (!/[*>]/.test(pattern)) return (key) => key === pattern;
  const tokens = pattern.split('.');
  if (tokens.length > 1 && tokens.at(-1) === '*') tokens[tokens.length - 1] = '>';
  return (key) => tokensMatch(tokens, key.split('.'));
}

/** {@link keyPattern} for a single question. */
export function keyMatches(pattern: string, key: string): boolean {
  return keyPattern(pattern)(key);
}
