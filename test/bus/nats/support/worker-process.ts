import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { endsWithThisProcess } from '../../../support/ends-with-this-process.ts';

/** A process that pulls one item and then says nothing any more. Resolves when it has the item. */
export async function silentWorker(url: string, ns: string, pool: string): Promise<ChildProcess> {
  const child = fork(new URL('silent-worker.mjs', import.meta.url), [url, ns, pool], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  endsWithThisProcess(child);
  await once(child, 'message');
  return child;
}
