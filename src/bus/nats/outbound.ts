import type { NatsConnection, PublishOptions } from 'nats';
import type { Clock, TimerHandle } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { contractError } from './client-errors.ts';
import type { WireWriter } from './wire-writer.ts';

interface OutboundMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly options: PublishOptions | undefined;
}

/** How an {@link Outbound} is made. */
export interface OutboundOptions {
  readonly connection: NatsConnection;
  readonly writer: WireWriter;
  readonly clock: Clock;
  /** Bytes that may wait while there is no connection. */
  readonly outboxBytes: number;
  /** Told of messages that waited and then could not be sent. */
  readonly onError: (error: unknown, subject: string) => void;
}

/** How long published messages go without asking the server whether it has them, in milliseconds. */
const confirmEveryMs = 100;

/** Bytes on their way to a server that is connected but does not read. */
const maxUnconfirmedBytes = 268_435_456;

/** What a message costs beside its payload, in bytes, roughly. */
const messageOverhead = 64;

/**
 * Everything that is published. The client forgets what is in its buffer when a connection ends, and what is
 * published while there is none; so messages wait here meanwhile, and those that a lost connection may have
 * swallowed are counted.
 *
 * Invariants:
 * 1. Messages reach the client in the order of publishing, each at most once.
 * 2. While the outbox holds messages nothing overtakes it.
 * 3. `published - confirmed` messages were given to the client and are not known to have reached the server.
 */
export class Outbound {
  private readonly connection: NatsConnection;
  private readonly writer: WireWriter;
  private readonly clock: Clock;
  private readonly outboxLimit: number;
  private readonly onError: (error: unknown, subject: string) => void;
  private outbox: OutboundMessage[] = [];
  private outboxBytes = 0;
  private open = true;
  private published = 0;
  private publishedBytes = 0;
  private confirmed = 0;
  private confirmedBytes = 0;
  private confirming = false;
  private stopped = false;
  private timer: TimerHandle;

  constructor({ connection, writer, clock, outboxBytes, onError }: OutboundOptions) {
    this.connection = connection;
    this.writer = writer;
    this.clock = clock;
    this.outboxLimit = outboxBytes;
    this.onError = onError;
  }

  /** Messages given to the client so far. */
  get mark(): number {
    return this.published;
  }

  /** Messages that wait for a connection. */
  get waiting(): number {
    return this.outbox.length;
  }

  /** Throws TRP_BUS_FULL or TRP_BUS_PAYLOAD; otherwise the message is sent, or waits. */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): void {
    if (this.open) this.send(subject, data, options);
    else this.keep({ subject, data, options });
  }

  /** The server has the first `mark` messages. */
  confirm(mark: number, bytes = this.confirmedBytes): void {
    this.confirmed = Math.max(this.confirmed, mark);
    this.confirmedBytes = Math.max(this.confirmedBytes, bytes);
  }

  /** From now on messages wait. Returns how many of those that were sent may be lost. */
  pause(): number {
    this.open = false;
    const uncertain = this.published - this.confirmed;
    this.confirm(this.published, this.publishedBytes);
    return uncertain;
  }

  /** Sends what waits, in order; from now on messages go out at once. */
  resume(): void {
    const waiting = this.outbox;
    this.outbox = [];
    this.outboxBytes = 0;
    this.open = true;
    for (const { subject, data, options } of waiting) {
      try {
        this.send(subject, data, options);
      } catch (error) {
        this.onError(error, subject);
      }
    }
  }

  /** Resolves when the server has what was published; rejects in the client's words when it never says so. */
  async flush(): Promise<void> {
    const [mark, bytes] = [this.published, this.publishedBytes];
    await this.connection.flush();
    this.confirm(mark, bytes);
  }

  /** Ends the asking. Returns how many messages never left. */
  stop(): number {
    this.clock.clearTimeout(this.timer);
    this.stopped = true;
    this.confirming = true;
    const unsent = this.outbox.length;
    this.outbox = [];
    return unsent;
  }

  private send(subject: string, data: Uint8Array, options: PublishOptions | undefined): void {
    const bytes = data.length + messageOverhead;
    if (this.publishedBytes + bytes - this.confirmedBytes > maxUnconfirmedBytes)
      throw fullError(`The server has not taken the last ${maxUnconfirmedBytes} bytes yet.`);
    try {
      this.writer.publish(subject, data, options);
    } catch (error) {
      throw contractError(error, `Publishing on ${subject}`);
    }
    this.published++;
    this.publishedBytes += bytes;
    if (!this.confirming) this.arrangeConfirmation();
  }

  private keep(message: OutboundMessage): void {
    const bytes = message.data.length + messageOverhead;
    if (this.outboxBytes + bytes > this.outboxLimit)
      throw fullError(
        `There is no connection, and the outbox of ${this.outboxLimit} bytes is full.`,
      );
    this.outboxBytes += bytes;
    this.outbox.push(message);
  }

  private arrangeConfirmation(): void {
    this.confirming = true;
    this.timer = this.clock.setTimeout(() => void this.askForConfirmation(), confirmEveryMs);
  }

  private async askForConfirmation(): Promise<void> {
    // A connection that ends meanwhile has had its messages counted as uncertain.
    await this.flush().catch(() => undefined);
    this.confirming = this.stopped;
    if (this.open && !this.stopped && this.published > this.confirmed) this.arrangeConfirmation();
  }
}

function fullError(message: string): TroupeError {
  return new TroupeError('TRP_BUS_FULL', message, { errorClass: 'transient' });
}
