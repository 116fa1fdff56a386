import type { Msg, MsgHdrs, NatsConnection } from 'nats';
import type { Clock } from '../../core/clock.ts';

/** A request as bytes. */
export interface RawRequest {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
  /** Default 5 s. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The connection that all parts of the driver share. It reconnects for ever; what fails meanwhile fails in
 * the words of the contract.
 */
export interface NatsLink {
  readonly connection: NatsConnection;
  readonly ns: string;
  readonly clock: Clock;
  /** Version of the server that the link is connected to now. */
  readonly serverVersion: readonly [major: number, minor: number, patch: number];
  readonly connected: boolean;
  /**
   * Sends a request by the link's own inbox, which costs a quarter of the client's `request`, and resolves with the
   * answer. Rejects with TRP_BUS_NO_RESPONDERS, TRP_BUS_TIMEOUT, TRP_BUS_DENIED, TRP_BUS_CLOSED, and at once with
   * TRP_BUS_DISCONNECTED when there is no connection or it is lost before the answer.
   */
  request(request: RawRequest): Promise<Msg>;
  /**
   * Carries out something that may be repeated without harm: again after each disconnection, until it ends
   * or `timeoutMs` (default 5 s) is over. Errors of the client come out as those of the contract.
   */
  persist<T>(what: string, operation: () => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Called after every reconnection; the function returned ends that. */
  onReconnect(listener: () => void): () => void;
  /** Runs a job off the stack of the client's read loop, in order; what it throws is reported. */
  deliver(job: () => void): void;
  /** Reports a fault of user code or of the server that no caller waits for. */
  fault(error: unknown, place: string): void;
}
