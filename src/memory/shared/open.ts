import { systemClock } from '../../core/clock.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import { randomIds } from '../../core/ids.ts';
import { silentLogger } from '../../core/log.ts';
import { LoggedMemory, openingName } from './logged-memory.ts';
import type { LoggedMemoryOptions } from './logged-memory.ts';
import type { SharedMemory, SharedMemoryOptions } from './shared-memory.ts';
import { sameRules, sharedRules } from './shared-rules.ts';
import type { SharedRules } from './shared-rules.ts';

const nameForm = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Opens a memory of its own on a bus, or makes it. Resolves when everything that was committed is visible.
 * @throws TroupeError TRP_OPTION_INVALID for a bad name, merger, or rules other than those the memory has;
 *   errors of the bus.
 */
export async function openSharedMemory(options: SharedMemoryOptions): Promise<SharedMemory> {
  const { name, keys, owners } = options;
  checkName(name);
  const rules = sharedRules(options);
  const memory = new LoggedMemory(loggedOptions(options, rules));
  try {
    await memory.open();
    const held = memory.rules;
    if (held && (keys || owners) && !sameRules(held, rules)) throw otherRules(name);
    return memory;
  } catch (error) {
    await memory.close();
    throw error;
  }
}

function loggedOptions(options: SharedMemoryOptions, rules: SharedRules): LoggedMemoryOptions {
  const { bus, name, agent, serve = true } = options;
  const { clock = systemClock, ids = randomIds, logger = silentLogger } = options;
  return {
    bus,
    name,
    memory: `mem-${name}`,
    node: openingName(ids),
    agent,
    rules: serve ? rules : undefined,
    clock,
    onFault: (error) => logger.warn('a shared memory', { name, message: messageOf(error) }),
  };
}

function checkName(name: string): void {
  if (nameForm.test(name)) return;
  const message = `The name of a memory is ${JSON.stringify(name)}; it must be letters, digits, - and _, at most 64.`;
  throw new TroupeError('TRP_OPTION_INVALID', message, {
    place: 'openSharedMemory',
    hint: 'Give a name of that form; keys inside the memory may have dots.',
  });
}

function otherRules(name: string): TroupeError {
  return new TroupeError(
    'TRP_OPTION_INVALID',
    `The memory ${name} exists, with other keys or owners than were given.`,
    { place: `memory ${name}`, hint: 'Give what its first opener gave, or leave both out.' },
  );
}
