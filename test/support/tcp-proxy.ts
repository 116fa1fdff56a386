import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A wire between clients and a server on the loopback that can be cut, or lose what the server says.
 *
 * Invariant: bytes that are let through keep their order; what is lost is lost until the connection ends.
 */
export class TcpProxy {
  private readonly listener: Server;
  private readonly pairs = new Set<Pair>();
  private isCut = false;
  private isMute = false;
  /** Bytes of the server that were swallowed. */
  swallowed = 0;

  private constructor(target: number) {
    this.listener = createServer((client) => this.join(client, target));
  }

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.listener.listen(0, '127.0.0.1');
    await once(proxy.listener, 'listening');
    return proxy;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** A partition: nothing goes through in either direction, and nobody is told. */
  cut(): void {
    this.isCut = true;
    for (const { client, server } of this.pairs) {
      client.pause();
      server.pause();
    }
  }

  /** The server hears everything; what it says is lost. */
  mute(): void {
    this.isMute = true;
  }

  /** New connections go through; old ones break, since they have lost bytes. */
  heal(): void {
    [this.isCut, this.isMute] = [false, false];
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.heal();
    this.listener.close();
    if (this.listener.listening) await once(this.listener, 'close');
  }

  private join(client: Socket, target: number): void {
    if (this.isCut) return void client.destroy();
    const pair: Pair = { client, server: connect(target, '127.0.0.1') };
    this.pairs.add(pair);
    const end = (): void => {
      this.pairs.delete(pair);
      client.destroy();
      pair.server.destroy();
    };
    for (const socket of [client, pair.server]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => pair.server.write(bytes));
    pair.server.on('data', (bytes) => {
      if (this.isMute) this.swallowed += bytes.length;
      else client.write(bytes);
    });
  }
}
