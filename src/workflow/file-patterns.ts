/**
 * The pattern of a path, as memory keys have them: names between dots, `>` for all that is below a folder.
 * `./a`, `a` and `a//` begin alike; what ends with a slash, `/*` or `/**` is a folder and all below it. The
 * wildcard `*` as a whole name stands for one name.
 */
export function filePattern(path: string): string {
  const names = path
    .replaceAll('\\', '/')
    .split('/')
    .filter((name) => name !== '.');
  const last = names.at(-1) ?? '';
  const isFolder = names.length > 1 && ['', '*', '**'].includes(last);
  const kept = (isFolder ? names.slice(0, -1) : names).filter(
    (name, at) => name !== '' || at === 0,
  );
  const tokens = resolved(kept).map((name) => (name === '*' ? name : token(name)));
  return [...tokens, ...(isFolder || tokens.length === 0 ? ['>'] : [])].join('.');
}

/** `a/../b` is `b`. */
function resolved(names: readonly string[]): string[] {
  const kept: string[] = [];
  for (const name of names) {
    const above = kept.at(-1);
    if (name === '..' && above !== undefined && above !== '..' && above !== '') kept.pop();
    else kept.push(name);
  }
  return kept;
}

/** A name as one token: dots, stars and arrows in it mean themselves. An absolute path begins with an empty name. */
function token(name: string): string {
  return name === ''
    ? '/'
    : name.replaceAll('.', '\u2024').replaceAll('*', '\u2217').replaceAll('>', '\u203a');
}
