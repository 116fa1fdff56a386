import type { AttemptRequest, RemoteTerms } from '../../actors/behaviours/behaviour.ts';
import { isOfEnvironment } from './secret-values.ts';
import { pauseClock, resumeClock } from './attempt-clock.ts';
import type { RunCore } from './core.ts';

/** What a run says of one of its attempts to whoever has another host carry it out. */
export function remoteTerms(core: RunCore, { task, attempt }: AttemptRequest): RemoteTerms {
  return {
    epoch: core.epoch,
    priority: core.priorityOf(task),
    providers: core.book.workflow.providers,
    secrets: core.book.workflow.secrets?.filter(isOfEnvironment),
    saysSecret: (message) => {
      const { secrets } = core.services;
      return secrets !== undefined && secrets.redact(message) !== message;
    },
    get isLeaving() {
      return core.halted === 'shutdown';
    },
    waits: (isWaiting) => {
      const live = core.live.get(task);
      if (isWaiting) pauseClock(core, live);
      else resumeClock(core, task, attempt);
    },
    late: () => core.self.send({ type: 'result.late', task, attempt }),
  };
}
