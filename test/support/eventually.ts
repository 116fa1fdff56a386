import { setTimeout as delay } from 'node:timers/promises';

/** How long a condition is waited for before a test fails, in milliseconds. */
const deadlineMs = 20_000;

/**
 * Waits until a condition holds, looking again and again. For what only the operating system can tell.
 * @param what for the message when it never holds
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`It never came true that ${what}.`);
    await delay(5);
  }
}
