import { attemptSubject } from '../../bus/subjects.js';
import { messageOf, TroupeError } from '../../core/errors.js';
import { toPlain } from '../../core/plain.js';
import { packed } from '../../actors/remote/large-message.js';
/** Between two tries while the bus or the run's owner is away, in milliseconds. */
const againMs = 500;
/** Logs of runs that are kept open. */
const mostLogs = 64;
/** The ways by which a host tells the owners of runs. */
export class Outlets {
  options;
  logs = new Map();
  constructor(options) {
    this.options = options;
  }
  /** Stored on the bus; the run's owner, or the next one, finds it there. */
  stored = async (message) => {
    const { bus } = this.options;
    const { operation, attempt, epoch, type } = message;
    const name = type === 'step' ? `step/${message.name}` : type;
    await this.insist(message, async () => {
      const log = await this.log(message.run);
      await log.append(await packed(bus, message), {
        op: `${operation}/${attempt}/${epoch}/${name}`,
      });
    });
  };
  /** Told to the process that owns the run, which has answered. */
  told = async (message) => {
    await this.insist(message, async () => {
      await this.ask(message);
    });
  };
  /** Asks the run's owner. Rejects as requests do. */
  ask(message) {
    const { bus } = this.options;
    return bus.request(attemptSubject(bus.ns, message.run), toPlain(message));
  }
  /** Tells whoever listens; may be lost. */
  mention(message) {
    const { bus, logger } = this.options;
    try {
      bus.publish(attemptSubject(bus.ns, message.run), toPlain(message));
    } catch (error) {
      logger.debug('not told', { type: message.type, message: messageOf(error) });
    }
  }
  async insist(message, act) {
    const { logger, clock } = this.options;
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!isWorthwhile(error) || this.options.isStopped()) throw error;
        const { run, task, type } = message;
        logger.debug('told again', { run, task, type, message: messageOf(error) });
      }
      await new Promise((resolve) => clock.setTimeout(resolve, againMs));
    }
  }
  log(run) {
    const known = this.logs.get(run);
    if (known) return known;
    const opening = this.options.bus.log('res', run);
    this.logs.set(run, opening);
    opening.catch(() => this.logs.delete(run));
    const [oldest] = this.logs.keys();
    if (this.logs.size > mostLogs && oldest !== undefined) this.logs.delete(oldest);
    return opening;
  }
}
/** Whether the same message may get through at another time. */
function isWorthwhile(error) {
  if (!(error instanceof TroupeError)) return false;
  const { code } = error;
  if (code === 'TRP_BUS_DISCONNECTED' || code === 'TRP_BUS_TIMEOUT') return true;
  return code === 'TRP_BUS_NO_RESPONDERS' || code === 'TRP_BUS_FULL';
}
