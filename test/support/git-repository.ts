import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A repository in a temporary folder, with fixed authors and dates, so that its commits are the same every time. */
export class GitRepository {
  readonly root: string;
  readonly #folder: string;
  #commits = 0;

  private constructor(folder: string, root: string) {
    this.#folder = folder;
    this.root = root;
  }

  /** A folder called `project`; a repository from its first {@link git}('init'). */
  static create(): GitRepository {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'troupe-review-')));
    const root = join(folder, 'project');
    mkdirSync(root);
    return new GitRepository(folder, root);
  }

  /** A place beside the repository that goes away with it. */
  beside(name: string): string {
    return join(this.#folder, name);
  }

  write(files: { readonly [path: string]: string | Uint8Array }): this {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), content);
    }
    return this;
  }

  git(...args: readonly string[]): string {
    const date = `2026-01-${String((this.#commits % 28) + 1).padStart(2, '0')}T12:00:00Z`;
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_DATE: date,
    };
    return execFileSync(
      'git',
      ['-c', 'init.defaultBranch=main', '-c', 'core.autocrlf=false', ...args],
      { cwd: this.root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  }

  commit(author = 'Ada'): this {
    this.git('add', '-A');
    this.#commits += 1;
    this.git(
      '-c',
      `user.name=${author}`,
      '-c',
      `user.email=${author}@example.org`,
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      `change ${this.#commits}`,
    );
    return this;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
