import type { RunCore } from './core.ts';

/** Raises the alert that a group's barrier asks for, if it does; whoever listens on the bus hears of it. */
export function raiseBarrierAlert(core: RunCore, group: string, message: string): void {
  const { notify } = core.book.group(group).barrier;
  if (notify === undefined) return;
  core.services.logger.warn(message, { run: core.run, group, notify });
  core.ledger.commit([{ type: 'alert.raised', name: 'barrier', group, to: notify, message }]);
}
