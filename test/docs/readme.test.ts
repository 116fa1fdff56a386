import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { startNatsServer } from '../support/nats-server.ts';
import { Page } from './page.ts';

const page = new Page('README.md');

it.each(page.inLanguage('js', 'ts'))('parses the code at README.md:$line', ({ language, text }) => {
  expect(parseSync(`snippet.${language}`, text, { sourceType: 'module' }).errors).toEqual([]);
});

it('compiles strictly the program of step 6, which ends by itself', async () => {
  const [, fence] = page.inLanguage('ts');
  const door = resolve('dist/index.js');
  const server = await startNatsServer();
  const folder = await mkdtemp(join(tmpdir(), 'troupe-readme-'));
  try {
    const program = fence?.text
      .replace("'troupe'", `'${door}'`)
      .replace('nats://127.0.0.1:4222', server.url);
    expect(program).toContain(server.url);
    await writeFile(join(folder, 'program.ts'), program ?? '');
    expect(compiled(folder)).toBe('');
    const options = { cwd: folder, encoding: 'utf8', timeout: 25_000 } as const;
    const { status, stderr } = spawnSync(process.execPath, ['program.js'], options);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
});

it('compiles strictly and runs the program of step 5', async () => {
  const [fence] = page.inLanguage('ts');
  const door = resolve('dist/index.js');
  const program = fence?.text.replace("'troupe'", `'${door}'`) ?? '';
  expect(program).toContain(door);
  const folder = await mkdtemp(join(tmpdir(), 'troupe-readme-'));
  try {
    await writeFile(join(folder, 'program.ts'), program);
    expect(compiled(folder)).toBe('');
    const options = { cwd: folder, encoding: 'utf8', timeout: 25_000 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['program.js'], options);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: "{ one: 'Hello, Ada', two: 'Hello, Alan' }\n",
    });
    expect(stderr).toContain('run.ended');
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Compiles `program.ts` as a user's strict project would; what the compiler says. */
function compiled(folder: string): string {
  const settings = {
    compilerOptions: {
      strict: true,
      module: 'nodenext',
      target: 'es2023',
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [resolve('node_modules/@types')],
    },
    files: ['program.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const compiler = resolve('node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [compiler], { cwd: folder, encoding: 'utf8' }).stdout;
}

it('shows the group of hello.yaml as it is', () => {
  const [fence] = page.inLanguage('yaml');
  const hello: unknown = parse(readFileSync('config/workflows/hello.yaml', 'utf8'));
  expect(hello).toMatchObject(parse(fence?.text ?? '') as object);
});

it('names only workflows and sources that are there', () => {
  const named = [...page.text.matchAll(/(?:config|src|test)\/[\w./-]+\.\w+/g)].map(
    ([path]) => path,
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});
