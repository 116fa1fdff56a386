import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Packages that a module pulls in as soon as it is imported: static imports of values, followed through our own files. */
function packagesOf(file: URL, seen = new Set<string>()): ReadonlySet<string> {
  const packages = new Set<string>();
  if (seen.has(file.href)) return packages;
  seen.add(file.href);
  const source = readFileSync(file, 'utf8');
  for (const [, specifier = ''] of source.matchAll(
    /^(?:import|export) (?!type\b)[^;]*?from '([^']+)';/gm,
  )) {
    if (!specifier.startsWith('.')) packages.add(specifier);
    else for (const name of packagesOf(new URL(specifier, file), seen)) packages.add(name);
  }
  return packages;
}

describe('importing the workflow folder', () => {
  it.each([
    'workflow/validate.ts',
    'workflow/template.ts',
    'workflow/define.ts',
    'workflow/model.ts',
    'workflow/load.ts',
    'core/duration.ts',
    'core/canonical.ts',
    'core/plain.ts',
  ])('loads neither zod nor yaml through %s', (path) => {
    const packages = packagesOf(new URL(`../../src/${path}`, import.meta.url));
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([]);
  });

  it('would notice zod where it is used', () => {
    expect(packagesOf(new URL('../../src/workflow/schema/check.ts', import.meta.url))).toContain(
      'zod',
    );
  });
});
