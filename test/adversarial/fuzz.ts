import type { JournalRecord } from '../../src/journal/record.ts';
import { breachesOf } from '../../src/simulation/journal-laws.ts';
import { live, workflowOf } from './chaos.ts';
import type { Story } from './chaos.ts';
import { endBreachesOf } from './process-laws.ts';
import { scriptedLaws } from './stale-results.ts';

/** One kind of stories, and how what they reach is called. */
export interface FuzzOptions {
  /** Name of the test file, for the line that repeats a failure. */
  readonly file: string;
  readonly story: (seed: number) => Story;
  readonly nameOf: (record: JournalRecord) => string;
}

/** Stories of one test: short enough for the timeout of a test on a slow machine. */
const chunkSize = 100;

/** Stories by seed, carried out and held against the laws. More of them: TROUPE_FUZZ_SEEDS; one alone: TROUPE_FUZZ_SEED. */
export class Fuzz {
  /** Only one seed is asked for. */
  readonly isSingle = process.env['TROUPE_FUZZ_SEED'] !== undefined;
  private readonly options: FuzzOptions;
  private readonly reached = new Set<string>();

  constructor(options: FuzzOptions) {
    this.options = options;
  }

  /** First and last seed of each test. */
  get chunks(): readonly (readonly [from: number, last: number])[] {
    const first = Number(process.env['TROUPE_FUZZ_SEED'] ?? 0);
    const count = this.isSingle ? 1 : Number(process.env['TROUPE_FUZZ_SEEDS'] ?? 500);
    return Array.from({ length: Math.ceil(count / chunkSize) }, (_, index) => {
      const from = first + index * chunkSize;
      return [from, Math.min(from + chunkSize, first + count) - 1] as const;
    });
  }

  /** What was broken, line by line, and how many of the documents were sound enough to run. */
  async chunk(from: number, last: number): Promise<{ faults: string; lived: number }> {
    const faults: string[] = [];
    let lived = 0;
    for (let seed = from; seed <= last; seed++) {
      const found = await this.faultsOf(seed);
      if (found) lived++;
      faults.push(...(found ?? []));
    }
    return { faults: faults.join('\n'), lived };
  }

  /** Which of these no story has reached. */
  missing(names: readonly string[]): readonly string[] {
    return this.isSingle ? [] : names.filter((name) => !this.reached.has(name));
  }

  private async faultsOf(seed: number): Promise<readonly string[] | undefined> {
    const { file, nameOf } = this.options;
    const story = this.options.story(seed);
    const workflow = await workflowOf(story.document);
    if (!workflow) return undefined;
    const results = await live(story, workflow);
    const breaches = results.flatMap((result) => endBreachesOf(result, story));
    for (const { process, end } of results) if (end !== 'crashed') await process.stop();
    const records = results.at(-1)?.records ?? [];
    for (const record of records) this.reached.add(nameOf(record));
    breaches.push(...breachesOf(records, scriptedLaws));
    return breaches.map(
      ({ law, detail }) =>
        `seed ${seed} breaks “${law}”: ${detail}\n` +
        `  TROUPE_FUZZ_SEED=${seed} npx vitest run test/adversarial/${file}`,
    );
  }
}
