import type { Draft } from './draft.ts';
import type { DocumentPath, FaultList } from './fault.ts';

/** Below this a bare number was probably meant as seconds: few tasks of agents take less than a second. */
const suspectBelowMs = 1000;

/** Warns of times that are bare small numbers: they are milliseconds, which few people expect. */
export function checkTimes({ document, faults }: Draft): void {
  const { tasks, groups = {}, tiers = [], defaults } = document;
  warnOf(document, ['deadline'], { path: [], faults });
  warnOf(defaults, ['timeout', 'estimate'], { path: ['defaults'], faults });
  for (const [id, task] of Object.entries(tasks)) {
    const path = ['tasks', id];
    warnOf(task, ['timeout', 'deadline', 'estimate'], { path, faults });
    warnOfBarrier(task, { path, faults });
  }
  for (const [id, group] of Object.entries(groups)) {
    const path = ['groups', id];
    warnOfBarrier(group, { path, faults });
    warnOf(group.cross_validation, ['timeout'], { path: [...path, 'cross_validation'], faults });
  }
  for (const [index, tier] of tiers.entries())
    warnOfBarrier(tier, { path: ['tiers', index], faults });
}

interface Place {
  readonly path: DocumentPath;
  readonly faults: FaultList;
}

function warnOfBarrier(
  { barrier }: { readonly barrier?: object | undefined },
  { path, faults }: Place,
): void {
  warnOf(barrier, ['timeout', 'soft_deadline', 'hard_deadline'], {
    path: [...path, 'barrier'],
    faults,
  });
}

function warnOf(block: object | undefined, keys: readonly string[], { path, faults }: Place): void {
  for (const key of keys) {
    const value: unknown = block && Object.getOwnPropertyDescriptor(block, key)?.value;
    if (typeof value !== 'number' || value <= 0 || value >= suspectBelowMs) continue;
    faults.warn('TRP_WORKFLOW_INVALID', `${key}: ${value} means ${value} ms`, {
      path: [...path, key],
      hint: `Write ${value}s for seconds, or ${value}ms.`,
    });
  }
}
