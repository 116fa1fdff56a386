import type { NatsConnection, PublishOptions } from 'nats';

/** The part of the client (exactly 2.29.3) that takes protocol lines. */
interface ClientProtocol {
  sendCommand?: (line: Uint8Array) => void;
}

/** Writes a message without headers. */
type Writer = (subject: string, data: Uint8Array, reply: string | undefined) => void;

/**
 * Messages on their way to the client. One without headers is written as one piece; the client itself makes three of it
 * and goes through an encoder of text for the first, which costs a third of a publish. Subjects are known to be valid and
 * the state of the connection to be right: this is checked before, as the client would.
 */
export class WireWriter {
  private readonly connection: NatsConnection;
  private readonly write: Writer;

  constructor(connection: NatsConnection) {
    this.connection = connection;
    this.write = writerOf(connection);
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions | undefined): void {
    const { info } = this.connection;
    // Without info the client is between two connections; what it says to larger messages is said by it.
    const plain = info !== undefined && data.length <= info.max_payload && !options?.headers;
    if (plain && !this.connection.isClosed()) this.write(subject, data, options?.reply);
    else this.connection.publish(subject, data, options);
  }
}

function writerOf(connection: NatsConnection): Writer {
  const { protocol } = connection as unknown as { readonly protocol?: ClientProtocol };
  if (typeof protocol?.sendCommand !== 'function')
    return (subject, data, reply) =>
      connection.publish(subject, data, reply === undefined ? undefined : { reply });
  const send = protocol.sendCommand.bind(protocol);
  return (subject, data, reply) => send(messageLine(subject, data, reply));
}

/** `PUB <subject> [reply] <bytes>`, the payload, each with a line's end. Subjects are ASCII. */
function messageLine(subject: string, data: Uint8Array, reply: string | undefined): Uint8Array {
  const size = data.length;
  const head =
    reply === undefined ? `PUB ${subject} ${size}\r\n` : `PUB ${subject} ${reply} ${size}\r\n`;
  const start = head.length;
  const line = Buffer.allocUnsafe(start + size + 2);
  line.write(head, 0, 'latin1');
  line.set(data, start);
  line[start + size] = 13;
  line[start + size + 1] = 10;
  return line;
}
