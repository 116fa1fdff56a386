import { hasCredentials, withoutLogin } from '../../core/bus-choice.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Troupe, TroupeOptions } from '../../runtime/api.ts';
import { serveHealth } from '../../runtime/serve/health.ts';
import type { HealthServer } from '../../runtime/serve/health.ts';
import { Shutdown } from '../../runtime/serve/shutdown.ts';
import { exitCodes } from '../exit-codes.ts';
import { troupeOptions } from '../options.ts';
import type { EngineOptions } from '../options.ts';
import { serviceLogger } from '../service-logger.ts';
import type { Shell } from '../shell.ts';

/** What `troupe serve` takes. */
export interface ServeOptions extends EngineOptions {
  /** Addresses of the servers; the same as `bus`. */
  readonly nats?: string;
  /** Runs at one time. */
  readonly runs?: number;
  /** Of this process's runs, in milliseconds. */
  readonly lease?: number;
  readonly ns?: string;
  /** How long runs that have ended stay on the servers, in milliseconds. */
  readonly retain?: number;
  readonly healthPort?: number;
  readonly healthHost?: string;
  /** How long runs that are here may go on after a signal, in milliseconds. */
  readonly drain?: number;
}

/** Runs that one process carries at one time when nothing else is said. */
const defaultRuns = 64;

/** Time for what belongs to no run, in milliseconds. */
const phaseMs = 10_000;

/** Time for attempts to be aborted, which bounds itself, and for ownership to be given up, in milliseconds. */
const handOverMs = 120_000;

/**
 * `troupe serve`: carries runs for others until a signal comes. With a server it takes submitted runs and those whose
 * process has died; without one, the latter of the data folder.
 */
export async function serve(shell: Shell, options: ServeOptions): Promise<number> {
  const logger = serviceLogger(shell);
  const troupe = await shell.openTroupe({ ...serviceOptions(shell, options), logger });
  let health: HealthServer | undefined;
  const { drain = 0 } = options;
  const shutdown = new Shutdown({
    clock: shell.clock,
    logger,
    phases: [
      { name: 'stop taking runs', timeoutMs: phaseMs, run: () => troupe.drain(0) },
      { name: 'finish runs', timeoutMs: drain + phaseMs, run: () => troupe.drain(drain) },
      { name: 'hand over runs', timeoutMs: handOverMs, run: () => troupe.close() },
      { name: 'close health endpoint', timeoutMs: phaseMs, run: () => health?.close() },
    ],
  });
  try {
    health = await healthOf(options, troupe, shutdown);
  } catch (error) {
    await troupe.close();
    throw error;
  }
  tellServing(logger, troupe, { options, health });
  await untilSignal(shell);
  const stopListening = leaveOnSignal(shell);
  await shutdown.begin();
  stopListening();
  return exitCodes.ok;
}

function serviceOptions(shell: Shell, options: ServeOptions): TroupeOptions {
  const { nats, ns, lease, retain, runs = defaultRuns, ...engine } = options;
  const choice = nats === undefined ? engine : { ...engine, bus: nats };
  const made = troupeOptions(shell, choice);
  if (made.bus === undefined || made.bus === 'embedded') {
    if (made.dataDir === undefined) throw nothingToServe();
    return { ...made, adopt: true };
  }
  return {
    ...made,
    journal: 'bus',
    takeRuns: runs,
    adopt: true,
    ...(ns === undefined ? {} : { ns }),
    ...(lease === undefined ? {} : { leaseMs: lease }),
    ...(retain === undefined ? {} : { retainMs: retain }),
  };
}

function nothingToServe(): TroupeError {
  const message = 'There is nothing to serve: neither a server nor a data folder.';
  return new TroupeError('TRP_OPTION_INVALID', message, { hint: 'Give --nats URL, or --data.' });
}

async function healthOf(
  { healthHost, healthPort }: ServeOptions,
  troupe: Troupe,
  shutdown: Shutdown,
): Promise<HealthServer | undefined> {
  if (healthPort === undefined) return undefined;
  const { bus } = troupe;
  return serveHealth({
    port: healthPort,
    ...(healthHost === undefined ? {} : { host: healthHost }),
    ready: () => ({
      bus: bus.state === 'connected' ? 'ok' : bus.state,
      service: shutdown.hasBegun ? 'shutting down' : 'ok',
    }),
  });
}

function tellServing(
  logger: Logger,
  troupe: Troupe,
  {
    options,
    health,
  }: { readonly options: ServeOptions; readonly health: HealthServer | undefined },
): void {
  const url = options.nats ?? options.bus;
  logger.info('serving', {
    node: troupe.node,
    ...(url === undefined ? {} : { bus: hasCredentials(url) ? withoutLogin(url) : url }),
    ...(health ? { health: health.port } : {}),
  });
}

function untilSignal(shell: Shell): Promise<void> {
  return new Promise((resolve) => {
    const stops = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) =>
      shell.onSignal(signal, () => {
        for (const stop of stops) stop();
        resolve();
      }),
    );
  });
}

/** Whoever signals again does not want to wait: runs are taken over when their lease is over. */
function leaveOnSignal(shell: Shell): () => void {
  const stops = [
    shell.onSignal('SIGINT', () => shell.exit(exitCodes.interrupted)),
    shell.onSignal('SIGTERM', () => shell.exit(exitCodes.terminated)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
