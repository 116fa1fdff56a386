import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';
import type { Statement } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

/**
 * The names that the package promises. A change of the public interface shows in the review as a
 * change of test/api.snapshot.md; `UPDATE_API=1 npx vitest run test/api.test.ts` writes it anew.
 */
const snapshot = 'test/api.snapshot.md';
const doors = { troupe: 'dist/index.d.ts', 'troupe/testing': 'dist/testing.d.ts' };

describe('the public interface', () => {
  it('exports the names of test/api.snapshot.md, and no others', () => {
    const page = apiPage();
    if (process.env['UPDATE_API']) writeFileSync(snapshot, page);
    expect(page).toBe(existsSync(snapshot) ? readFileSync(snapshot, 'utf8') : '');
  });

  it.each(Object.values(doors))('passes names on one by one in %s', (door) => {
    const wholesale = statementsOf(door).filter(({ type }) => type === 'ExportAllDeclaration');
    expect(wholesale).toEqual([]);
  });
});

function apiPage(): string {
  const sections = Object.entries(doors).map(([name, door]) => {
    const names = statementsOf(door).flatMap(namesOf).sort();
    return `## ${name}\n\n${names.map((line) => `- ${line}\n`).join('')}`;
  });
  return `# Public interface\n\n${sections.join('\n')}`;
}

function statementsOf(door: string): Statement[] {
  return parseSync(door, readFileSync(door, 'utf8')).program.body;
}

/** The exported names of a statement, a type marked as such. */
function namesOf(node: Statement): string[] {
  if (node.type === 'ExportAllDeclaration') return [`everything of ${node.source.value}`];
  if (node.type === 'ExportDefaultDeclaration') return ['default'];
  if (node.type !== 'ExportNamedDeclaration') return [];
  const { declaration, exportKind, specifiers } = node;
  if (declaration?.type === 'VariableDeclaration') {
    return declaration.declarations.map(({ id }) => ('name' in id ? id.name : '?'));
  }
  const declared = declaration && 'id' in declaration ? declaration.id : undefined;
  if (declaration && declared && 'name' in declared) {
    const typeOnly = ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'];
    return [marked(declared.name, typeOnly.includes(declaration.type))];
  }
  return specifiers.map(({ exported, exportKind: kind }) =>
    marked(
      'name' in exported ? exported.name : exported.value,
      exportKind === 'type' || kind === 'type',
    ),
  );
}

function marked(name: string, erased: boolean): string {
  return erased ? `type ${name}` : name;
}
