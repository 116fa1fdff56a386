import { beforeAll, vi } from 'vitest';

/**
 * Keeps one warning off the screen: XState's development build tells of messages to an actor that has
 * ended, and the disk of an interrupted run acknowledges its last records after the run's end.
 */
export function ignoreLateAcknowledgements(): void {
  beforeAll(() => {
    const { warn } = console;
    const spy = vi.spyOn(console, 'warn').mockImplementation((...parts: unknown[]) => {
      if (!String(parts[0]).includes('"records.durable" was sent to stopped actor')) warn(...parts);
    });
    return () => spy.mockRestore();
  });
}
