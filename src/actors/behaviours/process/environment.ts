/** Environment variables by name. */
export type Environment = { readonly [name: string]: string | undefined };

/** What every program needs to find its files and its language; nothing that holds a secret. */
const alwaysPassed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR'];

/** The part of an environment that a child may see: the harmless names, and those that its agent lists. */
export function allowedEnvironment(
  environment: Environment,
  names: readonly string[],
): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const name of [...alwaysPassed, ...names]) {
    const value = environment[name];
    if (value !== undefined) allowed[name] = value;
  }
  return allowed;
}
