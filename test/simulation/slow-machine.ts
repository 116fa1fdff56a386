import { createHook } from 'node:async_hooks';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Dice } from '../../src/simulation/dice.ts';

/** What does not leave the program: promises, and turns of the event loop. */
const withinTheProgram = new Set(['PROMISE', 'Immediate', 'TickObject', 'Microtask', 'Timeout']);

/** How many turns of the event loop come late. */
const shareOfTurns = 0.02;

/**
 * Makes this process slow at random: some turns of its event loop come up to 4 ms late, and answers of the disk up to
 * 40 ms. The delays are real, and other ones each time.
 */
export function slowDown(): void {
  const dice = new Dice(process.pid);
  const { setImmediate: soon } = globalThis;
  const late = ((fn: () => void) => {
    if (!dice.chance(shareOfTurns)) return soon(fn);
    return setTimeout(fn, dice.between(0, 4));
  }) as typeof soon;
  globalThis.setImmediate = Object.assign(late, { __promisify__: soon.__promisify__ });
  for (const name of ['rm', 'stat', 'mkdir', 'open', 'readFile', 'writeFile'] as const) {
    const real = promises[name] as (...args: unknown[]) => Promise<unknown>;
    const slow = async (...args: unknown[]): Promise<unknown> => {
      await new Promise((resolve) => setTimeout(resolve, dice.between(1, 40)));
      return real(...args);
    };
    Object.assign(promises, { [name]: slow });
  }
  syncBuiltinESMExports();
}

/** Notes work that this process begins outside of the program: disks, sockets, children, threads. */
export class OutsideWork {
  private readonly kinds = new Map<string, number>();

  /** Carries something out and notes what it begins meanwhile. */
  async during<T>(carryOut: () => Promise<T>): Promise<T> {
    const hook = createHook({
      init: (_id, kind) => {
        if (!withinTheProgram.has(kind)) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
      },
    });
    hook.enable();
    try {
      return await carryOut();
    } finally {
      hook.disable();
    }
  }

  /** Kinds of work as Node names them, and how often each began. */
  get begun(): { readonly [kind: string]: number } {
    return Object.fromEntries(this.kinds);
  }
}
