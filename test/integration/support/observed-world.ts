import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operationId } from '../../../src/core/ids.ts';
import type { JournalRecord } from '../../../src/journal/record.ts';

/** What an agent told the outside. */
export interface Effect {
  readonly kind: 'work' | 'step';
  readonly operation: string;
  readonly step?: string;
  readonly pid: number;
}

const worker = { agent: 'worker' };

/** Tasks of every shape; each does two steps, and some fail after the first of them. */
const document = {
  version: 1,
  name: 'observed',
  defaults: { retry: { max_attempts: 3, backoff: 'none', quarantine_after: 1000 } },
  resources: { concurrency: 4 },
  agents: {
    worker: { uses: 'function', module: './agents.mjs#work', owns: ['worker.*'] },
    threaded: {
      uses: 'function',
      module: './agents.mjs#work',
      isolate: 'thread',
      owns: ['worker.*'],
    },
    checker: { uses: 'function', module: './agents.mjs#check' },
  },
  tasks: {
    list: { ...worker, with: { output: [1, 2, 3, 4, 5, 6] } },
    each: { ...worker, needs: ['list'], for_each: '${tasks.list.output}', with: { fails: 1 } },
    a: worker,
    b: { ...worker, needs: ['a'], with: { fails: 2 } },
    c: { ...worker, needs: ['a'] },
    d: { ...worker, needs: ['b', 'c'] },
    left: { ...worker, with: { fails: 1 } },
    right: worker,
    isolated: { agent: 'threaded', needs: ['a'] },
    draft: { ...worker, needs: [{ group: 'pair' }, { task: 'review', kind: 'validation' }] },
    review: { agent: 'checker', needs: ['draft'] },
    last: { ...worker, needs: ['each', 'd', 'draft', 'isolated'] },
  },
  groups: { pair: { tasks: ['left', 'right'] } },
};

/** Iterations that a run of the document goes through, as `task#iteration`; `each` itself does no work. */
export const expectedIterations: readonly string[] = [
  'list a b c d left right isolated draft review last'.split(' '),
  Array.from({ length: 6 }, (_, index) => `each[${index}]`),
]
  .flat()
  .map((task) => `${task}#1`)
  .concat('draft#2', 'review#2');

/** A folder with the document, its agents and what they told. */
export class ObservedWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'troupe-observed-'));
  readonly data = join(this.folder, 'data');

  constructor() {
    writeFileSync(join(this.folder, 'flow.json'), JSON.stringify(document));
    const agents = join(import.meta.dirname, 'observed-agents.mjs');
    copyFileSync(agents, join(this.folder, 'agents.mjs'));
  }

  effects(): readonly Effect[] {
    const path = join(this.folder, 'effects.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Effect);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The operation of `task#iteration` in a run. */
export function operationOf(run: string, iteration: string): string {
  const [task = '', number = '1'] = iteration.split('#');
  return operationId(run, task, Number(number));
}

/** Steps whose value is in the journal, as `operation/step`. */
export function journaledSteps(run: string, records: readonly JournalRecord[]): Set<string> {
  const steps = new Set<string>();
  for (const record of records)
    if (record.type === 'step.done')
      steps.add(`${operationId(run, record.task, record.iteration)}/${record.name}`);
  return steps;
}
