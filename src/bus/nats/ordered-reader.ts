import { nuid } from 'nats';
import type { Msg, Subscription } from 'nats';
import type { TimerHandle } from '../../core/clock.ts';
import { newInbox } from './inbox.ts';
import type { JetStream } from './jetstream.ts';
import { deliveryInfo, fromDelivery } from './stored-message.ts';
import type { StoredMessage } from './stored-message.ts';
import { nanosPerMs } from './streams.ts';

/** What is read, and who gets it. */
export interface ReaderOptions {
  readonly stream: string;
  /** Subjects that are read: a pattern. */
  readonly filter: string;
  /** First sequence number, or the last message of each subject. */
  readonly from: number | 'last per subject';
  /** True: without payloads. Default false. */
  readonly headersOnly?: boolean;
  /** Called off the client's stack, in order of sequence numbers, each message once. */
  readonly onMessage: (message: StoredMessage) => void;
  /** Called once, when everything that was there at the start has been handed over; also when that is nothing. */
  readonly onCaughtUp: () => void;
  /** The server waits for `release` before it sends much more. Default: released at once. */
  readonly onPace?: (release: () => void) => void;
}

/** What the server answers when a consumer was made. */
interface ConsumerMade {
  readonly num_pending: number;
}

/** One consumer on the server, as long as no message of it is missing. */
interface Session {
  readonly consumer: string;
  readonly subscription: Subscription;
  /** Consumer sequence number of the last message. */
  received: number;
  /** Messages after which what was there at its start has been handed over; undefined: not known yet. */
  goal: number | undefined;
}

/** How often an idle server says that it is there, and after what silence the consumer counts as lost. */
const heartbeatMs = 5_000;
const silenceMs = 12_000;
/** Bounds of the pause between two tries to make a consumer, in milliseconds. */
const pauses = { least: 100, most: 10_000 };

/**
 * Reads the messages of a stream in order, each once, over reconnections and restarts: an ephemeral push consumer
 * with flow control and heartbeats, replaced behind the last message whenever one is missing.
 *
 * Invariants:
 * 1. `lastSeq` only grows; a message at or before it is not handed over.
 * 2. Messages of an old session are ignored: each session has an inbox of its own.
 * 3. After `stop` nothing is called, no timer runs, and the consumer is removed.
 */
export class OrderedReader {
  private readonly js: JetStream;
  private readonly options: ReaderOptions;
  private readonly stopListening: () => void;
  private session: Session | undefined;
  private lastSeq = 0;
  private caughtUp = false;
  private stopped = false;
  private replacing = false;
  private replaceAgain = false;
  private heardAt: number;
  private watchdog: TimerHandle;

  private constructor(js: JetStream, options: ReaderOptions) {
    this.js = js;
    this.options = options;
    this.heardAt = js.link.clock.monotonic();
    this.stopListening = js.link.onReconnect(() => void this.replace());
  }

  /** Resolves when the server has begun to send. */
  static async open(js: JetStream, options: ReaderOptions): Promise<OrderedReader> {
    const reader = new OrderedReader(js, options);
    reader.replacing = true;
    try {
      await reader.begin();
    } catch (error) {
      reader.stop();
      throw error;
    }
    reader.replacing = false;
    reader.watch();
    if (reader.replaceAgain) void reader.replace();
    return reader;
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.stopListening();
    this.js.link.clock.clearTimeout(this.watchdog);
    this.drop();
  }

  private get ackPlace(): string {
    return `${this.options.stream} ${this.options.filter}`;
  }

  private async begin(): Promise<void> {
    this.drop();
    const { connection } = this.js.link;
    const inbox = newInbox(connection);
    const consumer = `troupe-${nuid.next()}`;
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => this.guarded(() => this.receive(session, error, message)),
    });
    const session: Session = { consumer, subscription, received: 0, goal: undefined };
    this.session = session;
    const { stream, filter } = this.options;
    const made = await this.js.call<ConsumerMade>(
      `CONSUMER.CREATE.${stream}.${consumer}.${filter}`,
      { stream_name: stream, config: this.config(consumer, inbox) },
    );
    this.heardAt = this.js.link.clock.monotonic();
    if (session.goal !== undefined || session !== this.session) return;
    session.goal = made.num_pending;
    this.checkGoal(session, made.num_pending);
  }

  private config(name: string, inbox: string): object {
    const { filter, from, headersOnly = false } = this.options;
    const next = typeof from === 'number' ? Math.max(from, this.lastSeq + 1) : this.lastSeq + 1;
    const start =
      from === 'last per subject' && this.lastSeq === 0
        ? { deliver_policy: 'last_per_subject' }
        : { deliver_policy: 'by_start_sequence', opt_start_seq: next };
    return {
      name,
      ...start,
      filter_subject: filter,
      deliver_subject: inbox,
      ack_policy: 'none',
      max_deliver: 1,
      replay_policy: 'instant',
      flow_control: true,
      idle_heartbeat: heartbeatMs * nanosPerMs,
      headers_only: headersOnly,
      mem_storage: true,
      num_replicas: 1,
    };
  }

  private receive(session: Session, error: Error | null, message: Msg): void {
    if (this.stopped || session !== this.session) return;
    if (error) return this.js.link.fault(error, this.ackPlace);
    this.heardAt = this.js.link.clock.monotonic();
    if (message.headers?.code === 100 && message.data.length === 0) this.control(session, message);
    else this.take(session, message);
  }

  private take(session: Session, message: Msg): void {
    const { streamSeq, consumerSeq, pending } = deliveryInfo(message.reply);
    if (consumerSeq !== session.received + 1) return void this.replace();
    session.received = consumerSeq;
    session.goal ??= consumerSeq + pending;
    if (streamSeq > this.lastSeq) {
      this.lastSeq = streamSeq;
      const stored = fromDelivery(message, streamSeq);
      this.handOver(() => this.options.onMessage(stored));
    }
    this.checkGoal(session, pending);
  }

  /** Status 100: a heartbeat, or a request for a sign that what was sent has been taken. */
  private control(session: Session, message: Msg): void {
    const stalled = message.headers?.get('Nats-Consumer-Stalled') ?? '';
    const release = message.reply ? message.reply : stalled;
    if (release !== '') this.pace(release);
    const last = message.headers?.get('Nats-Last-Consumer') ?? '';
    if (last === '') return;
    if (Number(last) !== session.received) void this.replace();
    else if (stalled === '') this.checkGoal(session, 0);
  }

  private pace(subject: string): void {
    const { onPace = (release) => release() } = this.options;
    const release = (): void => {
      if (this.js.link.connected) this.js.link.connection.publish(subject);
    };
    this.handOver(() => onPace(release));
  }

  private checkGoal(session: Session, pending: number): void {
    if (this.caughtUp || session.goal === undefined) return;
    if (session.received < session.goal && pending > 0) return;
    this.caughtUp = true;
    this.handOver(() => this.options.onCaughtUp());
  }

  private handOver(job: () => void): void {
    this.js.link.deliver(() => {
      if (!this.stopped) job();
    });
  }

  /** Makes a new consumer behind the last message; again and again until there is one. */
  private async replace(): Promise<void> {
    if (this.stopped) return;
    if (this.replacing) {
      this.replaceAgain = true;
      return;
    }
    this.replacing = true;
    let pauseMs = pauses.least;
    do {
      this.replaceAgain = false;
      try {
        await this.begin();
      } catch (error) {
        if (this.stopped || !this.js.link.connected) break;
        this.js.link.fault(error, this.ackPlace);
        this.replaceAgain = true;
        await this.js.pause(pauseMs);
        pauseMs = Math.min(2 * pauseMs, pauses.most);
      }
    } while (this.replaceAgain && !this.stopped);
    this.replacing = false;
    if (this.stopped) this.drop();
    else if (this.replaceAgain) void this.replace();
  }

  /** A silent server has lost the consumer, or its messages do not arrive. */
  private watch(): void {
    const { clock, connected } = this.js.link;
    if (connected && clock.monotonic() - this.heardAt > silenceMs) void this.replace();
    this.watchdog = clock.setTimeout(() => this.watch(), silenceMs / 2);
  }

  private drop(): void {
    const { session } = this;
    if (!session) return;
    this.session = undefined;
    const { link } = this.js;
    this.guarded(() => session.subscription.unsubscribe());
    if (!link.connected) return;
    // Without it the server removes the consumer by itself, some seconds later.
    const subject = `$JS.API.CONSUMER.DELETE.${this.options.stream}.${session.consumer}`;
    link.request({ subject, data: new Uint8Array() }).catch(() => undefined);
  }

  /** Nothing may be thrown into the client's read loop. */
  private guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.js.link.fault(error, this.ackPlace);
    }
  }
}
