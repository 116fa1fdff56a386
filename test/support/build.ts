import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Vitest's global setup: builds dist when it is older than src, for the tests that start plain Node.
 * A type error does not stop the tests (the compiler still emits); `npm test` and `npm run check` do.
 */
export default function build(): void {
  if (newestMs('dist') > newestMs('src')) return;
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
  const built = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    encoding: 'utf8',
  });
  if (built.error) throw built.error;
  if (built.status !== 0) process.stderr.write(`dist was built with type errors:\n${built.stdout}`);
}

/** When the newest file of a folder was written, in milliseconds since the epoch; 0 without files. */
function newestMs(folder: string): number {
  if (!existsSync(folder)) return 0;
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}
