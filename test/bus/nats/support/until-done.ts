import { setTimeout as delay } from 'node:timers/promises';
import { TroupeError } from '../../../../src/core/errors.ts';

/** Repeats what fails only because there is no connection, as a user of the bus does. */
export async function untilDone<T>(operation: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      const code = error instanceof TroupeError ? error.code : '';
      if (!['TRP_BUS_DISCONNECTED', 'TRP_BUS_TIMEOUT'].includes(code)) throw error;
    }
    await delay(20);
  }
}
