import type { TroupeError } from '../../core/errors.ts';
import { closedError, disconnectedError } from './client-errors.ts';
import type { JetStream } from './jetstream.ts';
import { OrderedReader } from './ordered-reader.ts';
import type { ReaderOptions } from './ordered-reader.ts';
import type { StoredMessage } from './stored-message.ts';

/** What is read of a stream: see {@link ReaderOptions}. */
export type ReadRequest = Pick<ReaderOptions, 'stream' | 'filter' | 'from' | 'headersOnly'>;

/** How long a reading may stand still without a connection, in milliseconds. */
const stallMs = 5_000;

/**
 * All readings of one part of the driver, so that its end is theirs.
 *
 * Invariant: after `close` there is no reader, and whoever waits for a message has been told.
 */
export class Readings {
  private readonly js: JetStream;
  private readonly open = new Set<() => void>();
  private closed = false;

  constructor(js: JetStream) {
    this.js = js;
  }

  close(): void {
    this.closed = true;
    for (const end of this.open) end();
    this.open.clear();
  }

  /** Reading that goes on. The function returned ends it. */
  async follow(options: ReaderOptions): Promise<() => void> {
    this.refuseWhenClosed();
    const reader = await OrderedReader.open(this.js, options);
    const end = (): void => {
      this.open.delete(end);
      reader.stop();
    };
    this.open.add(end);
    if (this.closed) end();
    return end;
  }

  /** What is there when the reading begins, in order; the server waits for a slow reader. */
  async *read(request: ReadRequest): AsyncGenerator<StoredMessage, void, undefined> {
    this.refuseWhenClosed();
    const buffer = new ReadBuffer(this.js);
    const giveUp = (): void => buffer.fail(closedError());
    this.open.add(giveUp);
    let reader: OrderedReader | undefined;
    try {
      reader = await OrderedReader.open(this.js, {
        ...request,
        onMessage: (message) => buffer.push(message),
        onPace: (release) => buffer.push(release),
        onCaughtUp: () => buffer.end(),
      });
      yield* buffer.messages();
    } finally {
      this.open.delete(giveUp);
      reader?.stop();
    }
  }

  /** All of it at once. */
  async collect(request: ReadRequest): Promise<StoredMessage[]> {
    const messages: StoredMessage[] = [];
    for await (const message of this.read(request)) messages.push(message);
    return messages;
  }

  private refuseWhenClosed(): void {
    if (this.closed) throw closedError();
  }
}

type Buffered = StoredMessage | (() => void);

/** Messages between a reader and whoever iterates; in between, where the server is to be told to go on. */
class ReadBuffer {
  private readonly js: JetStream;
  private waiting: Buffered[] = [];
  private ended = false;
  private failure: TroupeError | undefined;
  private wake: (() => void) | undefined;

  constructor(js: JetStream) {
    this.js = js;
  }

  push(item: Buffered): void {
    if (this.ended) return;
    this.waiting.push(item);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  fail(error: TroupeError): void {
    this.failure ??= error;
    this.wake?.();
  }

  async *messages(): AsyncGenerator<StoredMessage, void, undefined> {
    for (;;) {
      const batch = this.waiting;
      this.waiting = [];
      for (const item of batch) {
        if (typeof item === 'function') item();
        else yield item;
      }
      if (this.failure) throw this.failure;
      if (this.waiting.length > 0) continue;
      if (this.ended) return;
      await this.more();
    }
  }

  private more(): Promise<void> {
    const { clock } = this.js.link;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => {
        if (!this.js.link.connected) this.failure ??= disconnectedError('Reading');
        this.wake?.();
      }, stallMs);
      this.wake = () => {
        this.wake = undefined;
        clock.clearTimeout(timer);
        resolve();
      };
    });
  }
}
