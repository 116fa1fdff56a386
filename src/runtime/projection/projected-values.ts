import { escapeToken } from '../../bus/subject-grammar.ts';
import type { Plain } from '../../core/plain.ts';
import type { JournalRecord } from '../../journal/record.ts';

/** Place of a value below its run: the tokens of a key, unescaped. */
export type KeyPath = readonly string[];

/** A key as the bucket has it: the run's id, then the tokens, each escaped, so that a task's id is one token. */
export function bucketKey(run: string, path: KeyPath): string {
  return [run, ...path].map(escapeToken).join('.');
}

/** Progress of a task: its last value. */
export function progressPath(task: string): KeyPath {
  return ['parallel', 'progress', task];
}

/** How the run stands. */
export const runPath: KeyPath = ['parallel', 'run'];

/** A key and what it holds from now on; undefined: deleted. */
export type ProjectedValue = readonly [path: KeyPath, value: Plain | undefined];

/** Outputs that wait for their checkers, by task: what a projection must remember between two records. */
export type Unaccepted = Map<string, Plain>;

/**
 * What a record makes visible to those who watch from outside, beside memory: the result of a task under
 * `parallel.results.<task>`, the run itself under `parallel.run`.
 */
export function projectedValues(
  record: JournalRecord,
  unaccepted: Unaccepted,
): readonly ProjectedValue[] {
  switch (record.type) {
    case 'task.succeeded':
      return [resultOf(record.task, { outcome: 'succeeded', output: record.output })];
    case 'task.completed':
      unaccepted.set(record.task, record.output);
      return [];
    case 'task.accepted':
      return [accepted(record.task, unaccepted)];
    case 'task.sent_back':
      unaccepted.delete(record.task);
      return [];
    case 'task.ended': {
      const { outcome, reason, error } = record;
      const told = { outcome, reason, ...(error ? { error: { ...error } as Plain } : {}) };
      return [resultOf(record.task, told)];
    }
    case 'run.started':
      return [[runPath, { status: 'running', workflow: record.workflow.name, at: record.at }]];
    case 'run.reopened':
      return [[runPath, { status: 'running', at: record.at }]];
    case 'run.ended':
      return [
        [runPath, { status: record.outcome, reason: record.reason, at: record.at, ended: true }],
      ];
    default:
      return [];
  }
}

function accepted(task: string, unaccepted: Unaccepted): ProjectedValue {
  const output = unaccepted.get(task) ?? null;
  unaccepted.delete(task);
  return resultOf(task, { outcome: 'succeeded', output });
}

function resultOf(task: string, result: { readonly [key: string]: Plain }): ProjectedValue {
  return [['parallel', 'results', task], { task, ...result }];
}
