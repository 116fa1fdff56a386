import type { Bus } from '../../bus/bus.ts';
import type { EventLog } from '../../bus/event-log.ts';
import { attemptSubject } from '../../bus/worker-subjects.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import { packed } from '../../actors/remote/large-message.ts';
import type { HostMessage } from '../../actors/remote/messages.ts';

/** Where what an attempt leaves goes: resolves when whoever needs it can no longer miss it. */
export type Outlet = (message: HostMessage) => Promise<void>;

/** Between two tries while the bus or the run's owner is away, in milliseconds. */
const againMs = 500;

/** An owner that keeps nothing and does not answer this often is gone, and its runs with it. */
const mostAsks = 60;

/** Logs of runs that are kept open. */
const mostLogs = 64;

/** What the outlets of a host need. */
export interface OutletsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This host is at its end: nothing is tried again. */
  isStopped(): boolean;
}

/** The ways by which a host tells the owners of runs. */
export class Outlets {
  private readonly options: OutletsOptions;
  private readonly logs = new Map<string, Promise<EventLog>>();

  constructor(options: OutletsOptions) {
    this.options = options;
  }

  /** Stored on the bus; the run's owner, or the next one, finds it there. */
  readonly stored: Outlet = async (message) => {
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
  readonly told: Outlet = async (message) => {
    await this.insist(message, () => this.ask(message).then(() => undefined), mostAsks);
  };

  /** Asks the run's owner. Rejects as requests do. */
  async ask(message: HostMessage): Promise<Plain> {
    const { bus } = this.options;
    return bus.request(attemptSubject(bus.ns, message.run), await packed(bus, message));
  }

  /** Tells whoever listens; may be lost. */
  mention(message: HostMessage): void {
    const { bus, logger } = this.options;
    try {
      bus.publish(attemptSubject(bus.ns, message.run), message as unknown as PlainObject);
    } catch (error) {
      logger.debug('not told', { type: message.type, message: messageOf(error) });
    }
  }

  private async insist(
    message: HostMessage,
    act: () => Promise<void>,
    mostTries = Infinity,
  ): Promise<void> {
    const { logger, clock } = this.options;
    for (let tries = 1; ; tries++) {
      try {
        return await act();
      } catch (error) {
        const isLast = tries >= mostTries || this.options.isStopped();
        if (isLast || !isWorthwhile(error)) throw error;
        const { run, task, type } = message;
        logger.debug('told again', { run, task, type, message: messageOf(error) });
      }
      await new Promise<void>((resolve) => clock.setTimeout(resolve, againMs));
    }
  }

  private log(run: string): Promise<EventLog> {
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
function isWorthwhile(error: unknown): boolean {
  if (!(error instanceof TroupeError)) return false;
  const { code } = error;
  if (code === 'TRP_BUS_DISCONNECTED' || code === 'TRP_BUS_TIMEOUT') return true;
  return code === 'TRP_BUS_NO_RESPONDERS' || code === 'TRP_BUS_FULL';
}
