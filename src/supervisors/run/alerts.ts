import type { RecordBody } from '../../journal/record.ts';
import type { RunCore } from './core.ts';

/** The alert that a group's barrier asks for, if it does, to be committed with what it is about. */
export function barrierAlert(core: RunCore, group: string, message: string): readonly RecordBody[] {
  const { notify } = core.book.group(group).barrier;
  if (notify === undefined) return [];
  core.services.logger.warn(message, { run: core.run, group, notify });
  return [{ type: 'alert.raised', name: 'barrier', group, to: notify, message }];
}
