import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve as absolute } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { answers, freePort, LocalServerFolder } from './local-server-folder.ts';
import type { LocalServerRecord } from './local-server-folder.ts';
import { Hold, startGuard } from './local-server-guard.ts';
import { parseVersion, versionFault } from './server-version.ts';

/** How a server of this machine is started. */
export interface LocalServerOptions {
  readonly clock: Clock;
  /** Where its files are; who names the same folder shares the server. Default: a temporary one, gone with the server. */
  readonly folder?: string;
  /** Default: `nats-server` of the PATH. */
  readonly binary?: string;
  /** Default 10 s. */
  readonly startTimeoutMs?: number;
}

/** A server that this process uses, together with others that named the same folder. */
export interface LocalServer {
  /** With its token: a secret. */
  readonly url: string;
  readonly folder: string;
  /** True: another process had started it. */
  readonly shared: boolean;
  /** Lets go of it; it ends when nobody uses it any more. */
  stop(): Promise<void>;
}

const pollMs = 10;
/** A pipe without a guard for this long is what a crash has left. */
const abandonedMs = 2_000;
/** How long `stop` waits for the end of a server that others may still use, in milliseconds. */
const endMs = 2_000;

/**
 * A server on a free port of the loopback, with JetStream and a token, that ends with the last process that uses it,
 * however that ends. What it says goes to `nats.log` in its folder.
 * @throws TroupeError TRP_BUS_SERVER when there is no binary, it is too old, or the server does not start.
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const binary = options.binary ?? 'nats-server';
  checkBinary(binary);
  const temporary = options.folder === undefined;
  const path = absolute(options.folder ?? mkdtempSync(join(tmpdir(), 'troupe-nats-')));
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { clock, startTimeoutMs = 10_000 } = options;
  return new Start({ clock, binary, temporary, startTimeoutMs }, path).run();
}

function checkBinary(binary: string): void {
  const { error, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  if (error)
    throw new TroupeError('TRP_BUS_SERVER', `There is no ${binary} to start.`, {
      hint: 'Install it (apt install nats-server, brew install nats-server, or github.com/nats-io/nats-server/releases), or name the URL of a server that runs.',
      cause: error,
    });
  const found = /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '';
  const fault = versionFault(parseVersion(found));
  if (fault) throw fault;
}

interface StartSettings {
  readonly clock: Clock;
  readonly binary: string;
  readonly temporary: boolean;
  readonly startTimeoutMs: number;
}

/** Finding or starting the server of one folder. */
class Start {
  private readonly settings: StartSettings;
  private readonly folder: LocalServerFolder;
  private readonly giveUpAt: number;
  /** Since when there has been a pipe and no guard. */
  private unguardedSince: number | undefined;

  constructor(settings: StartSettings, path: string) {
    this.settings = settings;
    this.folder = new LocalServerFolder(path);
    this.giveUpAt = settings.clock.monotonic() + settings.startTimeoutMs;
  }

  async run(): Promise<LocalServer> {
    for (;;) {
      const server = (await this.join()) ?? (await this.begin());
      if (server) return server;
      if (this.settings.clock.monotonic() > this.giveUpAt) throw this.failure();
      await this.pause();
    }
  }

  /** Undefined: there is none, or it is not up yet. */
  private async join(): Promise<LocalServer | undefined> {
    const hold = Hold.join(this.folder.users);
    if (!hold) return undefined;
    this.unguardedSince = undefined;
    const record = this.folder.readRecord();
    if (record && (await answers(record)) && hold.isCurrent)
      return this.server(record, { hold, shared: true, ended: undefined });
    hold.release();
    return undefined;
  }

  /** Undefined: somebody else is about to. */
  private async begin(): Promise<LocalServer | undefined> {
    const hold = Hold.create(this.folder.users);
    if (!hold) {
      this.removeAbandoned();
      return undefined;
    }
    try {
      const token = randomBytes(24).toString('hex');
      const record = { port: await freePort(), token, name: `troupe-${token.slice(0, 12)}` };
      this.folder.write(record);
      const ended = startGuard(this.folder, this.settings.binary);
      await this.untilUp(record);
      if (hold.isCurrent) return this.server(record, { hold, shared: false, ended });
      hold.release();
      return undefined;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  private async untilUp(record: LocalServerRecord): Promise<void> {
    while (!(await answers(record))) {
      if (this.settings.clock.monotonic() > this.giveUpAt) throw this.failure();
      await this.pause();
    }
  }

  /** Guards remove their pipe; one that stays without them is of a guard that was killed, or a machine that went down. */
  private removeAbandoned(): void {
    const now = this.settings.clock.monotonic();
    const [jitter = 0] = randomBytes(1);
    this.unguardedSince ??= now + jitter * 4;
    if (now - this.unguardedSince < abandonedMs) return;
    rmSync(this.folder.users, { force: true });
    this.unguardedSince = undefined;
  }

  private server(record: LocalServerRecord, { hold, shared, ended }: Held): LocalServer {
    const { temporary, clock } = this.settings;
    const { path } = this.folder;
    const stop = async (): Promise<void> => {
      hold.release();
      if (ended) await within(clock, ended, endMs);
      if (temporary) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    };
    let stopping: Promise<void> | undefined;
    const url = `nats://${record.token}@127.0.0.1:${record.port}`;
    return { url, folder: path, shared, stop: () => (stopping ??= stop()) };
  }

  private pause(): Promise<void> {
    return new Promise((done) => this.settings.clock.setTimeout(done, pollMs));
  }

  private failure(): TroupeError {
    const { startTimeoutMs } = this.settings;
    const said = this.folder.lastWords();
    return new TroupeError(
      'TRP_BUS_SERVER',
      `The local server did not start within ${startTimeoutMs} ms.${said === '' ? '' : `\n${said}`}`,
      { place: this.folder.log },
    );
  }
}

interface Held {
  readonly hold: Hold;
  readonly shared: boolean;
  /** Of the guard, when it is this process's own. */
  readonly ended: Promise<void> | undefined;
}

/** Resolves with the promise, or when the time is over. */
function within(clock: Clock, promise: Promise<void>, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(resolve, timeoutMs);
    void promise.then(() => {
      clock.clearTimeout(timer);
      resolve();
    });
  });
}
