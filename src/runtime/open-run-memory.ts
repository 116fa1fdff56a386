import type { Bus } from '../bus/bus.ts';
import { messageOf } from '../core/errors.ts';
import { LoggedMemory, openingName } from '../memory/shared/logged-memory.ts';
import type { SharedMemory } from '../memory/shared/shared-memory.ts';
import type { TroupeConfig } from './options.ts';

/** The memory of a run, which its owner shows on the bus; whoever opens it never becomes the owner. */
export async function openRunMemory(
  bus: Bus,
  run: string,
  { clock, ids, logger }: Pick<TroupeConfig, 'clock' | 'ids' | 'logger'>,
): Promise<SharedMemory> {
  const memory = new LoggedMemory({
    bus,
    name: run,
    memory: run,
    node: openingName(ids),
    agent: undefined,
    rules: undefined,
    clock,
    onFault: (error) => logger.warn('a memory', { run, message: messageOf(error) }),
  });
  await memory.open();
  return memory;
}
