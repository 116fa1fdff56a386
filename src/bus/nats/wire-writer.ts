import type { NatsConnection, PublishOptions } from 'nats';

/** The part of the client (exactly 2.29.3) that takes protocol lines. */
interface ClientProtocol {
  sendCommand?: (...pieces: Uint8Array[]) => void;
}

/** Writes a message without headers. */
type Writer = (subject: string, data: Uint8Array, reply: string | undefined) => void;

/** From here on a payload costs more to copy than a piece of its own costs, in bytes. */
const largeBytes = 512;

/**
 * Messages on their way to the client. A small one without headers is written as one piece; the client itself makes three
 * of it and goes through an encoder of text for the first, which costs a third of a publish. Subjects are known to be valid and
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
  return (subject, data, reply) => {
    const head = headOf(subject, data.length, reply);
    if (data.length < largeBytes) send(inOnePiece(head, data));
    else send(Buffer.from(head, 'latin1'), data, lineEnd);
  };
}

const lineEnd = Uint8Array.of(13, 10);

/** `PUB <subject> [reply] <bytes>`, with its line's end. Subjects are ASCII. */
function headOf(subject: string, size: number, reply: string | undefined): string {
  return reply === undefined ? `PUB ${subject} ${size}\r\n` : `PUB ${subject} ${reply} ${size}\r\n`;
}

function inOnePiece(head: string, data: Uint8Array): Uint8Array {
  const size = data.length;
  const start = head.length;
  const line = Buffer.allocUnsafe(start + size + 2);
  line.write(head, 0, 'latin1');
  line.set(data, start);
  line[start + size] = 13;
  line[start + size + 1] = 10;
  return line;
}
