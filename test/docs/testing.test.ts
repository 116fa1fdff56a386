import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { faultClasses } from '../../src/testing.ts';
import { Page } from './page.ts';

const page = new Page('docs/testing.md');
const run = promisify(execFile);

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-testing-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/testing.md', () => {
  it('has an example that runs as it stands', async () => {
    const [example] = page.fences.filter(({ language }) => language === 'ts');
    const kit = pathToFileURL('dist/testing.js').href;
    const program = join(folder, 'example.mjs');
    writeFileSync(program, (example?.text ?? '').replace('troupe/testing', kit));
    const { stderr } = await run(process.execPath, [program]);
    expect(stderr).toBe('');
  });

  it('names every class of faults, and no other', () => {
    const section = page.text.slice(page.text.indexOf('## What goes wrong'));
    const table = section.slice(0, section.indexOf('## What must hold'));
    const named = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(named).toEqual([...faultClasses]);
  });
});
