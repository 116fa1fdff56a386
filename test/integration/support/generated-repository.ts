import { GitRepository } from '../../support/git-repository.ts';

/** A repository of some size with three commits by two authors, the same every time. */
export function generatedRepository(): GitRepository {
  const repository = GitRepository.create();
  repository.git('init', '-q');
  repository.write({
    'README.md': '# Generated\n\nSee [the guide](docs/guide.md) and [nothing](docs/none.md).\n',
    'docs/guide.md': '# Guide\n\nSee [home](../README.md).\n',
    'package.json': `${JSON.stringify({ name: 'generated', dependencies: { left: '*' } }, null, 2)}\n`,
  });
  for (let index = 0; index < 60; index++) repository.write({ [pathOf(index)]: moduleText(index) });
  repository.commit('Ada');
  repository.write({ [pathOf(7)]: `${moduleText(7)}\n// FIX${'ME'}: too long\n` }).commit('Grace');
  return repository.write({ [pathOf(7)]: `${moduleText(7)}\nexport const last = 1;\n` }).commit();
}

function pathOf(index: number): string {
  return `src/part-${index % 6}/module-${index}.js`;
}

function moduleText(index: number): string {
  const next = (index * 7 + 3) % 60;
  const branches = Array.from(
    { length: 3 + (index % 9) },
    (_, line) => `  if (value === ${line * index}) return other(value + ${line});`,
  );
  return [
    `import { act${next} as other } from '../part-${next % 6}/module-${next}.js';`,
    `/** Does number ${index}. */`,
    `export function act${index}(value) {`,
    ...branches,
    index % 10 === 0 ? '  eval(String(value));' : '  return value;',
    '}',
    '',
  ].join('\n');
}
