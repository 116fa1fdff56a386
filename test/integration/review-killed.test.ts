import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GitRepository } from '../support/git-repository.ts';
import { generatedRepository } from './support/generated-repository.ts';
import { finishedIn, journalIn, startedAgain } from './support/journal.ts';
import { endPrograms, Program } from './support/program.ts';
import type { ProgramEnd } from './support/program.ts';

const file = resolve('config', 'workflows', 'repo-review.yaml');

/** One review with a data folder and a folder of reports of its own. */
class Review {
  readonly out: string;
  readonly data: string;
  private readonly repository: GitRepository;

  constructor(repository: GitRepository, name: string) {
    this.repository = repository;
    this.out = repository.beside(`${name}-out`);
    this.data = repository.beside(`${name}-data`);
  }

  run(): Program {
    const { root } = this.repository;
    const inputs = ['--input', JSON.stringify({ path: root, out: this.out })];
    return Program.start(['run', file, ...inputs, ...this.options()], { cwd: root });
  }

  async resume(): Promise<Program> {
    const { run } = await journalIn(this.data);
    return Program.start(['resume', run, ...this.options()], { cwd: this.repository.root });
  }

  /** What a run leaves to be compared: its end and the bytes of its reports. */
  result({ code, lines }: ProgramEnd): unknown {
    const report = lines.at(-1);
    const read = (name: string): string => readFileSync(join(this.out, name), 'utf8');
    const written = ['report.md', 'report.json'].map(read);
    return { code, status: report?.['status'], census: report?.['census'], written };
  }

  private options(): readonly string[] {
    return ['--jsonl', '--quiet', '--data', this.data];
  }
}

let repository: GitRepository;
let undisturbed: unknown;
let successes: number;

beforeAll(async () => {
  repository = generatedRepository();
  const review = new Review(repository, 'undisturbed');
  const end = await review.run().ended;
  undisturbed = review.result(end);
  successes = end.lines.filter(({ type }) => type === 'task.succeeded').length;
}, 60_000);

afterEach(endPrograms);

afterAll(() => repository.remove());

describe('a review whose process is killed', () => {
  it('succeeds when nobody disturbs it', () => {
    expect(undisturbed).toMatchObject({ code: 0, status: 'succeeded' });
    expect(successes).toBeGreaterThan(25);
  });

  it.each([1, 5, 12, 19, 26])(
    'after %i successes writes the same report when resumed, and repeats nothing that had succeeded',
    async (count) => {
      const review = new Review(repository, `killed-${count}`);
      const program = review.run();
      await program.nth(count, 'task.succeeded');
      await program.kill();
      const before = (await journalIn(review.data)).records;
      expect(finishedIn(before).length).toBeGreaterThanOrEqual(count);
      const end = await (await review.resume()).ended;
      expect(review.result(end)).toEqual(undisturbed);
      const { records } = await journalIn(review.data);
      expect(records.slice(0, before.length)).toEqual(before);
      expect(startedAgain(records, before.length)).toEqual([]);
    },
  );

  it('and killed again while it is resumed, ends as it would have', async () => {
    const review = new Review(repository, 'twice');
    const program = review.run();
    await program.nth(3, 'task.succeeded');
    await program.kill();
    const first = (await journalIn(review.data)).records.length;
    const resumed = await review.resume();
    await resumed.nth(4, 'task.succeeded');
    await resumed.kill();
    const second = (await journalIn(review.data)).records.length;
    const end = await (await review.resume()).ended;
    expect(review.result(end)).toEqual(undisturbed);
    const { records } = await journalIn(review.data);
    expect(second).toBeGreaterThan(first);
    expect([...startedAgain(records, first), ...startedAgain(records, second)]).toEqual([]);
    expect(new Set(finishedIn(records)).size).toBe(finishedIn(records).length);
  });
});
