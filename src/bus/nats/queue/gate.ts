import { nuid } from 'nats';
import { subjectOf } from '../../subjects.ts';
import type { JetStream } from '../jetstream.ts';
import { isConflict } from '../jetstream.ts';
import { wireHeaders } from '../message-headers.ts';
import { consumerInfo } from './consumers.ts';
import { PullSession } from './pull-session.ts';
import type { Delivery, Source, WaitOptions } from './pull-session.ts';

/** A permit to hold one item of a pool. */
export interface Permit {
  /** Its time starts anew. */
  renew(): void;
  /** Gives it back; resolves when the server knows, or cannot be told: then it comes back by itself. */
  release(): Promise<void>;
}

/** What a gate is made of. */
export interface GateOptions {
  readonly js: JetStream;
  readonly source: Source;
  readonly pool: string;
  readonly maxInFlight: number;
  /** How long a permit is good for, in milliseconds. */
  readonly permitMs: number;
}

/**
 * Lets as many items of a pool out as may be, over all levels and processes: permits are messages that are pulled
 * and given back, and a permit of somebody who died comes back when its time is over.
 *
 * Invariant: there are at most `maxInFlight` permits of the pool. They are made when the first who needs one finds none.
 */
export class Gate {
  private readonly options: GateOptions;
  /** Permits that are known to exist; undefined: nobody has asked. */
  private made: number | undefined;
  private readonly session: PullSession<Source>;

  constructor(options: GateOptions) {
    this.options = options;
    this.session = new PullSession<Source>(options.js);
  }

  /** A permit; undefined when there is none in time. */
  async enter(wait: WaitOptions): Promise<Permit | undefined> {
    const { session } = this;
    const { source } = this.options;
    for (;;) {
      const found = await session.now(source);
      if (found) return this.permit(found);
      if (!(await this.makeOne())) break;
    }
    if (wait.waitMs <= 0) return undefined;
    const found = await session.wait([source], wait);
    return found && this.permit(found);
  }

  /** Nobody is let in any more. */
  close(): void {
    this.session.end();
  }

  /** False: there are as many as there may be. */
  private async makeOne(): Promise<boolean> {
    const { js, pool, maxInFlight, source } = this.options;
    this.made ??= await this.count();
    while (this.made < maxInFlight) {
      const next = ++this.made;
      try {
        await js.publish({
          stream: source.stream,
          subject: subjectOf(js.link.ns, 'work', pool, 'gate', String(next)),
          data: new Uint8Array(),
          headers: wireHeaders({}, {}),
          id: nuid.next(),
          expectedSeq: 0,
        });
        return true;
      } catch (error) {
        if (isConflict(error)) continue;
        this.made = undefined;
        throw error;
      }
    }
    return false;
  }

  private async count(): Promise<number> {
    const { js, source } = this.options;
    const info = await consumerInfo(js, source.stream, source.consumer);
    return info ? info.num_pending + info.num_ack_pending : 0;
  }

  private permit({ message }: Delivery): Permit {
    const { js, permitMs } = this.options;
    const { clock, connection } = js.link;
    const ackSubject = message.reply ?? '';
    let goodUntil = clock.monotonic() + permitMs;
    return {
      renew: () => {
        if (!js.link.connected || clock.monotonic() >= goodUntil) return;
        goodUntil = clock.monotonic() + permitMs;
        connection.publish(ackSubject, '+WPI');
      },
      release: async () => {
        // One whose time is over may be with somebody else, from whom this would take it.
        const isOurs = clock.monotonic() < goodUntil;
        goodUntil = 0;
        if (isOurs) await js.acknowledge(ackSubject, '-NAK').catch(() => undefined);
      },
    };
  }
}
