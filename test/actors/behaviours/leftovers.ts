import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach } from 'vitest';
import { eventually } from '../../support/eventually.ts';

/** What a behaviour must not leave behind: handles that would keep this process alive. */
const watched = ['Timeout', 'ProcessWrap', 'MessagePort', 'Worker', 'PipeWrap'];

/** Fails a test after which more timers, processes, threads or pipes are there than before it. */
export function expectNoLeftovers(): void {
  let before = new Map<string, number>();
  beforeEach(() => {
    before = census();
  });
  afterEach(async () => {
    await eventually('nothing is left behind', () =>
      [...census()].every(([kind, count]) => count <= (before.get(kind) ?? 0)),
    );
  });
}

function census(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (watched.includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Threads of this process, idle ones included; 0 where the system does not tell. */
export function threadCount(): number {
  return existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0;
}
