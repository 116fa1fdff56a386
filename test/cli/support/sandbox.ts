import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { runCli } from '../../../src/cli/cli.ts';
import type { TroupeOptions } from '../../../src/runtime/api.ts';
import { FakeShell } from './fake-shell.ts';
import type { FakeShellOptions } from './fake-shell.ts';
import { FakeTroupe } from './fake-troupe.ts';

/** The text of `flow.yaml`. */
export const document = `version: 1
name: sample
agents: { any: { uses: simulate } }
tasks:
  a: { agent: any, estimate: 1s }
  b: { agent: any, estimate: 2s, needs: [a] }
`;

/** A folder with a good and a bad workflow, and the Troupe that commands in it open; new for every test. */
export let folder: string;
export let troupe: FakeTroupe;
/** With what options a Troupe was opened, in order. */
export let opened: TroupeOptions[];

/** Makes the folder before each test of the file that calls it, and removes it afterwards. */
export function useSandbox(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'));
    writeFileSync(join(folder, 'flow.yaml'), document);
    writeFileSync(
      join(folder, 'bad.yaml'),
      'version: 1\nname: x\ntasks:\n  a: { agnt: any }\n  b: { agent: nobody }\n',
    );
    troupe = new FakeTroupe();
    opened = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
}

/** A shell that stands in the folder. */
export function shellWith(options: FakeShellOptions = {}): FakeShell {
  const openTroupe = async (made: TroupeOptions): Promise<FakeTroupe> => {
    opened.push(made);
    return troupe;
  };
  return new FakeShell({ cwd: folder, openTroupe, ...options });
}

/** Runs a command line; gives its exit code. */
export async function cli(shell: FakeShell, ...args: readonly string[]): Promise<number> {
  return runCli(shell, args, '1.2.3');
}
