import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/** The files of a local server. Nobody but their owner reads them: the token is in them. */
export class LocalServerFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get config(): string {
    return join(this.path, 'nats.conf');
  }
  get log(): string {
    return join(this.path, 'nats.log');
  }
  get pid(): string {
    return join(this.path, 'nats.pid');
  }
  /** A pipe that every user of the server holds open. */
  get users(): string {
    return join(this.path, 'users');
  }
  get record(): string {
    return join(this.path, 'server.json');
  }

  /** What to connect to; undefined when that was never written down, or only in part. */
  readRecord(): LocalServerRecord | undefined {
    try {
      const found = JSON.parse(readFileSync(this.record, 'utf8')) as Partial<LocalServerRecord>;
      const { port, token, name } = found;
      if (typeof port !== 'number' || typeof token !== 'string' || typeof name !== 'string')
        return undefined;
      return { port, token, name };
    } catch {
      return undefined;
    }
  }

  /** Writes the configuration, and what to connect to. */
  write(record: LocalServerRecord): void {
    const options = { mode: 0o600 } as const;
    writeFileSync(this.config, this.configuration(record), options);
    writeFileSync(this.record, JSON.stringify(record), options);
  }

  /** The end of the log, for messages. */
  lastWords(): string {
    try {
      return readFileSync(this.log, 'utf8').trim().split('\n').slice(-3).join('\n');
    } catch {
      return '';
    }
  }

  private configuration({ port, token, name }: LocalServerRecord): string {
    const quoted = (text: string): string => JSON.stringify(text);
    return [
      `server_name: ${quoted(name)}`,
      'host: 127.0.0.1',
      `port: ${port}`,
      `authorization { token: ${quoted(token)} }`,
      `pid_file: ${quoted(this.pid)}`,
      `log_file: ${quoted(this.log)}`,
      'log_size_limit: 10MB',
      'max_payload: 2MB',
      `jetstream { store_dir: ${quoted(join(this.path, 'store'))} }`,
      '',
    ].join('\n');
  }
}

/** How a local server is reached. */
export interface LocalServerRecord {
  readonly port: number;
  readonly token: string;
  /** What the server calls itself, so that another one on the port is not taken for it. */
  readonly name: string;
}

/** A port of the loopback that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** Whether the server of the record answers on its port. */
export function answers({ port, name }: LocalServerRecord): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const settle = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    let greeting = '';
    socket.on('data', (chunk) => {
      greeting += chunk.toString();
      if (greeting.includes('\r\n') || greeting.length > 65_536)
        settle(greeting.startsWith('INFO ') && greeting.includes(JSON.stringify(name)));
    });
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}
