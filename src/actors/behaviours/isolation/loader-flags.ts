/** Flags of Node that decide how modules are found and read, with their value in the same word or the next. */
const withValue = /^(--import|--require|-r|--loader|--experimental-loader|--conditions|-C)(=|$)/;
const alone =
  /^--(enable-source-maps|no-warnings|preserve-symlinks|experimental-(strip|transform)-types)$/;

/**
 * The part of this process's own flags with which an isolated one should be started, so that a module that
 * loads here loads there. Everything else (a debugger's port, `--eval` and its code, heap sizes) stays here.
 */
export function loaderFlags(flags: readonly string[]): string[] {
  return flags.filter((flag, index) => {
    const before = flags[index - 1] ?? '';
    return (
      alone.test(flag) || withValue.test(flag) || (withValue.test(before) && !before.includes('='))
    );
  });
}
