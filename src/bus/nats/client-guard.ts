import type { NatsConnection } from 'nats';

/** The parts of the client (exactly 2.29.3) that its types hide. */
interface ClientInternals {
  readonly protocol?: {
    parser?: { parse(bytes: Uint8Array): void };
    transport?: { socket?: { destroy(): void } };
    sendSubscriptions?: () => void;
  };
}

/**
 * Keeps the client's read loop alive. An exception in it, from a callback or from bytes that are no NATS protocol,
 * ends the loop silently: all subscriptions are dead on a connection that looks open, and the client says "reader
 * closed" on standard output, where a result may be under way. Guarded, the fault is reported and the connection made anew.
 */
export function guardReadLoop(connection: NatsConnection, onFault: (error: unknown) => void): void {
  const { protocol } = connection as unknown as ClientInternals;
  if (!protocol?.parser) return;
  const guarded = (parser: { parse(bytes: Uint8Array): void }): typeof parser => {
    const parse = parser.parse.bind(parser);
    parser.parse = (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        onFault(error);
        void connection.reconnect();
      }
    };
    return parser;
  };
  // The client makes a new parser for every connection.
  let current = guarded(protocol.parser);
  Object.defineProperty(protocol, 'parser', {
    get: () => current,
    set: (parser: typeof current) => {
      current = guarded(parser);
    },
  });
}

/**
 * Lets go of a connection that the client has given up for stale: it first waits until what it wrote has been
 * taken, which a server that hangs never does.
 */
export function dropSocket(connection: NatsConnection): void {
  (connection as unknown as ClientInternals).protocol?.transport?.socket?.destroy();
}

/** For a client that is closed while it dials: a connection that still comes about would never end. */
export function refuseConnections(connection: NatsConnection): void {
  const { protocol } = connection as unknown as ClientInternals;
  if (!protocol) return;
  protocol.sendSubscriptions = () => {
    throw new Error('The bus was closed meanwhile.');
  };
}
