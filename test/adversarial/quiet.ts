import { beforeAll, vi } from 'vitest';

/** What the disk says, of success or failure, to a run that is over. */
const lateAnswers = /"(records\.durable|run\.faulted)" was sent to stopped actor/;

/**
 * Keeps one warning off the screen: XState's development build tells of messages to an actor that has
 * ended, and the disk of an interrupted run acknowledges its last records after the run's end.
 */
export function ignoreLateAcknowledgements(): void {
  beforeAll(() => {
    const { warn } = console;
    const spy = vi.spyOn(console, 'warn').mockImplementation((...parts: unknown[]) => {
      if (!lateAnswers.test(String(parts[0]))) warn(...parts);
    });
    return () => spy.mockRestore();
  });
}
