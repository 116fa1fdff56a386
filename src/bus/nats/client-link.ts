import type { Msg, NatsConnection, Status } from 'nats';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type { BusState, BusStatus } from '../bus.ts';
import type { Schedule } from '../embedded/delivery-queue.ts';
import {
  closedError,
  contractError,
  deniedError,
  disconnectedError,
  serverComplaint,
} from './client-errors.ts';
import { dropSocket, guardReadLoop, refuseConnections } from './client-guard.ts';
import { Deliveries } from './deliveries.ts';
import type { Receiver } from './deliveries.ts';
import type { NatsLink, RawRequest } from './link.ts';
import { Outbound } from './outbound.ts';
import { persist } from './persistence.ts';
import { Requests } from './requests.ts';
import type { Settler } from './requests.ts';
import { parseVersion, versionFault } from './server-version.ts';
import type { ServerVersion } from './server-version.ts';
import { WireWriter } from './wire-writer.ts';

/** How a {@link ClientLink} is made. */
export interface LinkOptions {
  readonly ns: string;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Subject that nobody else has, for answers. */
  readonly inbox: string;
  readonly outboxBytes: number;
  readonly onError: (error: unknown, place: string) => void;
}

const defaultTimeoutMs = 5_000;

/**
 * The connection of one bus.
 *
 * Invariants:
 * 1. `state` changes only in `become`, which tells everybody; `closed` is final.
 * 2. No request waits while the state is not `connected`.
 * 3. No job of `deliver` runs on the stack of the client's read loop, and nothing thrown reaches it.
 */
export class ClientLink implements NatsLink {
  readonly connection: NatsConnection;
  readonly ns: string;
  readonly clock: Clock;
  readonly outbound: Outbound;
  private readonly writer: WireWriter;
  private readonly requests: Requests;
  private readonly deliveries: Deliveries<Msg>;
  private readonly onError: (error: unknown, place: string) => void;
  private readonly statusListeners = new Set<(status: BusStatus) => void>();
  private readonly reconnectListeners = new Set<() => void>();
  /** Of flushes under way: what to call when the state changes. */
  private readonly flushing = new Set<() => void>();
  private version: ServerVersion;
  private current: BusState = 'connected';
  private changes = 0;
  private connectedAt: number;
  private inboxDenied = false;
  private largest = Infinity;
  /** Subjects that the server refused to publish on in this turn. */
  private refused = new Set<string>();
  /** What the server said last of the connection as a whole, until it is there again. */
  private complaint = '';

  constructor(connection: NatsConnection, options: LinkOptions) {
    const { ns, clock, schedule, inbox, outboxBytes, onError } = options;
    this.connection = connection;
    this.ns = ns;
    this.clock = clock;
    this.onError = onError;
    this.version = parseVersion(connection.info?.version ?? '');
    this.connectedAt = clock.monotonic();
    this.requests = new Requests(clock, inbox);
    this.deliveries = new Deliveries(schedule, (error) => this.fault(error, ''));
    this.writer = new WireWriter(connection);
    this.outbound = new Outbound({ connection, writer: this.writer, clock, outboxBytes, onError });
    guardReadLoop(connection, (error) => this.fault(error, 'the connection'));
    this.listenForAnswers();
    void this.watchStatus();
  }

  get state(): BusState {
    return this.current;
  }

  get connected(): boolean {
    return this.current === 'connected';
  }

  get serverVersion(): ServerVersion {
    return this.version;
  }

  /** Milliseconds since the connection was made, the last time. */
  get connectedForMs(): number {
    return this.clock.monotonic() - this.connectedAt;
  }

  /** Largest message that the server takes, in bytes; without a connection what the last one took. */
  get maxPayloadBytes(): number {
    const { info } = this.connection;
    if (info) this.largest = info.max_payload;
    return this.largest;
  }

  get hasJetStream(): boolean {
    return this.connection.info?.jetstream === true;
  }

  get isClustered(): boolean {
    return this.connection.info?.cluster !== undefined;
  }

  request(request: RawRequest): Promise<Msg> {
    return new Promise((resolve, reject) => this.ask(request, { resolve, reject }));
  }

  /** As `request`, for one who makes the promise himself: two promises less per request. */
  ask(
    { subject, data, headers, timeoutMs = defaultTimeoutMs }: RawRequest,
    settler: Settler,
  ): void {
    if (this.current === 'closed') return settler.reject(closedError());
    if (this.current !== 'connected')
      return settler.reject(disconnectedError(`The request on ${subject} was not sent`));
    const { mark } = this.outbound;
    const reply = this.requests.open({ subject, timeoutMs, mark }, settler);
    try {
      this.writer.publish(subject, data, headers ? { reply, headers } : { reply });
    } catch (error) {
      this.requests.abandon(reply, contractError(error, `The request on ${subject}`));
    }
  }

  persist<T>(what: string, operation: () => Promise<T>, timeoutMs = defaultTimeoutMs): Promise<T> {
    return persist(this, { what, operation, timeoutMs });
  }

  onStatus(listener: (status: BusStatus) => void): () => void {
    this.statusListeners.add(listener);
    return () => void this.statusListeners.delete(listener);
  }

  onReconnect(listener: () => void): () => void {
    this.reconnectListeners.add(listener);
    return () => void this.reconnectListeners.delete(listener);
  }

  deliver(job: () => void): void {
    this.deliveries.push(job);
  }

  /** Hands a message over off the stack of the client's read loop, in order with what `deliver` was given. */
  deliverTo(receiver: Receiver<Msg>, message: Msg): void {
    this.deliveries.put(receiver, message);
  }

  fault(error: unknown, place: string): void {
    try {
      this.onError(error, place);
    } catch {
      // Whoever is told of faults cannot be told of his own.
    }
  }

  /** Resolves when the server lets this link have answers. Rejects with TRP_BUS_DENIED when it does not. */
  async ready(): Promise<void> {
    await this.flush();
    if (!this.inboxDenied) return;
    const { pattern } = this.requests;
    throw new TroupeError(
      'TRP_BUS_DENIED',
      `The server does not allow to subscribe to ${pattern}.`,
      {
        hint: 'Allow the user to subscribe to his inbox, or name one that he may with inboxPrefix.',
      },
    );
  }

  /** Resolves when everything published before has reached the server, over reconnections. */
  async flush(): Promise<void> {
    while (this.current !== 'closed') {
      const before = this.changes;
      if (this.connected && (await this.flushed()) && before === this.changes) return;
      if (before === this.changes) await this.changeOfState();
    }
    throw closedError();
  }

  /** Resolves when what was handed to `deliver` before has run. */
  delivered(): Promise<void> {
    return new Promise((resolve) => this.deliveries.push(resolve));
  }

  /** Ends the connection; what still waits is told so. */
  async close(): Promise<void> {
    if (this.current === 'closed') return;
    const unsent = this.outbound.stop();
    const detail = unsent > 0 ? `Closed; ${unsent} messages were never sent.` : 'Closed.';
    this.become({ state: 'closed', detail, uncertain: unsent });
    refuseConnections(this.connection);
    await this.connection.close();
  }

  private listenForAnswers(): void {
    this.connection.subscribe(this.requests.pattern, {
      callback: (error, message) => {
        if (error) this.inboxDenied = true;
        else this.outbound.confirm(this.requests.answer(message));
      },
    });
  }

  private flushed(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (done: boolean): void => {
        this.flushing.delete(giveUp);
        resolve(done);
      };
      const giveUp = (): void => settle(false);
      this.flushing.add(giveUp);
      this.outbound.flush().then(() => settle(true), giveUp);
    });
  }

  private changeOfState(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.onStatus(() => {
        stop();
        resolve();
      });
    });
  }

  private async watchStatus(): Promise<void> {
    for await (const status of this.connection.status()) this.react(status);
    // The client gives up only when it cannot even try, as with credentials that are no longer readable.
    const error = await this.connection.closed();
    if (this.current === 'closed') return;
    this.fault(contractError(error, 'The connection'), 'the connection');
    await this.close();
  }

  private react(status: Status): void {
    if (status.type === 'disconnect') this.lost(detailOf(status));
    else if (status.type === 'reconnect') this.regained(detailOf(status));
    else if (status.type === 'staleConnection') dropSocket(this.connection);
    else if (status.type === 'error') this.heed(status);
  }

  private lost(server: string): void {
    if (this.current !== 'connected') return;
    const uncertain = this.outbound.pause();
    this.become({ state: 'disconnected', detail: `Lost the connection to ${server}.`, uncertain });
  }

  private regained(server: string): void {
    if (this.current !== 'disconnected') return;
    this.connectedAt = this.clock.monotonic();
    this.complaint = '';
    this.look(server);
    this.outbound.resume();
    this.become({ state: 'connected', detail: `Connected to ${server} again.`, uncertain: 0 });
    for (const listener of this.reconnectListeners) this.guarded(listener);
  }

  /** Another server of a cluster may be of another version. */
  private look(server: string): void {
    const { info } = this.connection;
    // Without it the connection is lost again already.
    if (!info) return;
    this.version = parseVersion(info.version);
    const fault = versionFault(this.version);
    if (fault) this.fault(fault, server);
  }

  private heed(status: Status): void {
    const { permissionContext: context } = status;
    if (!context) this.complain(detailOf(status));
    else if (context.operation === 'subscription')
      this.fault(deniedError('subscribe to', context.subject), context.subject);
    else this.publishRefused(context.subject);
  }

  /** All refusals of one turn are looked up at once: each costs a look at everybody who waits. */
  private publishRefused(subject: string): void {
    if (this.refused.size === 0) this.deliver(() => this.tellRefused());
    this.refused.add(subject);
  }

  private tellRefused(): void {
    const { refused } = this;
    this.refused = new Set();
    for (const subject of this.requests.deny(refused))
      this.fault(deniedError('publish on', subject), subject);
  }

  /** A login that was withdrawn is refused with every try to reconnect; it is told once. */
  private complain(said: string): void {
    if (said === this.complaint) return;
    this.complaint = said;
    this.fault(serverComplaint(said), 'the connection');
  }

  private become(status: BusStatus): void {
    this.current = status.state;
    this.changes++;
    for (const giveUp of this.flushing) giveUp();
    if (status.state === 'closed') this.requests.rejectAll(closedError);
    else if (status.state === 'disconnected')
      this.requests.rejectAll((subject) => disconnectedError(`No answer from ${subject}`));
    for (const listener of this.statusListeners) this.guarded(() => listener(status));
  }

  private guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.fault(error, 'a listener of the connection');
    }
  }
}

function detailOf({ data }: Status): string {
  return typeof data === 'string' ? data : JSON.stringify(data);
}
