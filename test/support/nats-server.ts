import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findNatsServers } from '../../scripts/nats-server-binaries.mjs';
import { endsWithThisProcess } from './ends-with-this-process.ts';

/** A server of this machine: its version, and which of the known ones it is. */
export interface NatsServerVersion {
  readonly kind: 'default' | 'newest';
  readonly version: string;
  readonly path: string;
}

/** Which server is started, and how. */
export interface NatsServerOptions {
  /** Default: the one of the system. */
  readonly server?: NatsServerVersion;
  /** Default true. */
  readonly jetStream?: boolean;
  /** More lines for the server's configuration. */
  readonly config?: string;
}

/**
 * The servers to test against, for `describe.each`: the system's and, where there is one, a newer one. Never empty:
 * a file that needs a server fails with the reason where there is none, and is not passed over.
 */
export function natsServers(): readonly [NatsServerVersion, ...NatsServerVersion[]] {
  const [first, ...others] = findNatsServers();
  if (first) return [first, ...others];
  throw new Error(
    'This test needs a nats-server: `node scripts/test-tools.mjs` installs it or says how to.',
  );
}

/** How long a server may take until it answers, in milliseconds. */
const startMs = 15_000;

/** Starts a server on a free port of the loopback with an empty store; resolves when it answers. */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const tries = 5;
  for (let attempt = 1; ; attempt++) {
    const server = new NatsServer(options, await freePort());
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === tries) throw error;
    }
  }
}

/**
 * A nats-server process on the loopback.
 *
 * 1. Its port and its store stay the same over restarts.
 * 2. It ends with this process, however this process ends.
 */
export class NatsServer {
  readonly port: number;
  readonly version: string;
  private readonly folder = mkdtempSync(join(tmpdir(), 'troupe-nats-'));
  private readonly path: string;
  private readonly options: NatsServerOptions;
  private process: ChildProcess | undefined;

  constructor(options: NatsServerOptions, port: number) {
    const { path, version } = options.server ?? natsServers()[0];
    this.port = port;
    this.path = path;
    this.version = version;
    this.options = options;
    this.configure(options.config ?? '');
  }

  /** Where the server keeps its streams and buckets. */
  get storeFolder(): string {
    return this.folder;
  }

  /** Other lines for the configuration, from the next start on, or from `signal('SIGHUP')`. */
  configure(config: string): void {
    writeFileSync(join(this.folder, 'nats.conf'), this.configuration({ ...this.options, config }));
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Resolves when the server answers; does nothing while it runs. */
  async start(): Promise<void> {
    if (this.process) return;
    const log = openSync(join(this.folder, 'log'), 'a');
    const process = spawn(this.path, ['-c', join(this.folder, 'nats.conf')], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.process = process;
    endsWithThisProcess(process);
    const end = performance.now() + startMs;
    while (!(await greets(this.port))) {
      if (process.exitCode !== null || process.signalCode !== null || performance.now() > end)
        throw new Error(`nats-server ${this.version} did not start:\n${this.log()}`);
      await delay(5);
    }
  }

  /** Sends a signal that ends the server, and resolves when it has ended. The store stays. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { process } = this;
    this.process = undefined;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const exited = once(process, 'exit');
    process.kill(signal);
    await exited;
  }

  /** Ends the server by the signal and starts it on the same port with the same store. */
  async restart(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.kill(signal);
    await this.start();
  }

  /**
   * `SIGSTOP` holds the process without ending it, as a stalled machine would, and `SIGCONT` lets it go on; `SIGHUP` reads
   * the configuration again, `SIGUSR2` is its lame duck mode.
   */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP' | 'SIGUSR2'): void {
    this.process?.kill(signal);
  }

  /** Ends the server for good and removes its store. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** What the server has written. */
  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  private configuration({ jetStream = true, config = '' }: NatsServerOptions): string {
    const store = JSON.stringify(join(this.folder, 'store'));
    const lines = [`host: 127.0.0.1`, `port: ${this.port}`];
    if (jetStream) lines.push(`jetstream { store_dir: ${store} }`);
    return [...lines, config, ''].join('\n');
  }
}

/** A port that is free now, below those that systems give to outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  probe.listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}

/** Whether a NATS server sends its first line on the port. */
async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [first] = (await once(socket, 'data')) as [Buffer];
    return first.toString().startsWith('INFO ');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
