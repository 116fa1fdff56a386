import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TaskFunction } from '../../actors/behaviours/behaviour.ts';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { HealthServer } from '../../runtime/serve/health.ts';
import type { WorkerHost, WorkerOptions } from '../../runtime/worker/api.ts';
import { noticeLogger } from '../bus-notices.ts';
import { exitCodes } from '../exit-codes.ts';
import { busChoice } from '../options.ts';
import type { Shell } from '../shell.ts';

/** What `troupe worker` takes. */
export interface WorkerCommandOptions {
  readonly bus?: string;
  readonly nats?: string;
  readonly ns?: string;
  readonly pools: string;
  readonly concurrency?: number;
  readonly functions?: string;
  readonly baseDir?: string;
  readonly allowCommands?: boolean;
  readonly healthPort?: number;
  readonly healthHost?: string;
  readonly drainTimeout?: number;
}

/** `troupe worker`: carries out attempts for pools until it is told to end. */
export async function worker(shell: Shell, options: WorkerCommandOptions): Promise<number> {
  const { createWorker } = await import('../../runtime/worker/create-worker.ts');
  const host = await createWorker(await workerOptions(shell, options));
  const health = await serveHealthOf(host, options);
  const listening = health ? `, health on port ${health.port}` : '';
  shell.err(`worker host ${host.id} serves ${host.pools.join(', ')}${listening}\n`);
  try {
    return await untilEnded(shell, host, options);
  } finally {
    await health?.close();
  }
}

/** The first signal drains; the second ends at once. */
function untilEnded(
  shell: Shell,
  host: WorkerHost,
  { drainTimeout }: WorkerCommandOptions,
): Promise<number> {
  return new Promise((end, reject) => {
    let isDraining = false;
    const onSignal = (code: number): void => {
      if (isDraining) return shell.exit(code);
      isDraining = true;
      shell.err('Draining: nothing new is taken. A second signal ends at once.\n');
      const options = drainTimeout === undefined ? {} : { withinMs: drainTimeout };
      host.drain(options).then(() => end(exitCodes.ok), reject);
    };
    shell.onSignal('SIGTERM', () => onSignal(exitCodes.terminated));
    shell.onSignal('SIGHUP', () => onSignal(exitCodes.terminated));
    shell.onSignal('SIGINT', () => onSignal(exitCodes.interrupted));
  });
}

async function serveHealthOf(
  host: WorkerHost,
  { healthPort: port, healthHost }: WorkerCommandOptions,
): Promise<HealthServer | undefined> {
  if (port === undefined) return undefined;
  const { serveHealth } = await import('../../runtime/serve/health.ts');
  const address = healthHost === undefined ? {} : { host: healthHost };
  try {
    return await serveHealth({ port, ...address, ready: () => host.readiness() });
  } catch (error) {
    await host.close();
    throw error;
  }
}

async function workerOptions(shell: Shell, options: WorkerCommandOptions): Promise<WorkerOptions> {
  const { ns, concurrency, baseDir, allowCommands, functions } = options;
  const bus = options.nats ?? busChoice(shell, options);
  if (bus === undefined)
    throw new TroupeError('TRP_OPTION_INVALID', 'The worker is not told where its work is.', {
      hint: 'Name the bus: troupe worker --bus nats://host:4222 --pools POOL.',
    });
  return {
    bus,
    pools: options.pools.split(',').map((pool) => pool.trim()),
    logger: noticeLogger(shell),
    ...(ns === undefined ? {} : { ns }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(baseDir === undefined ? {} : { baseDir: resolve(shell.cwd, baseDir) }),
    ...(allowCommands === undefined ? {} : { allowCommands }),
    ...(functions === undefined ? {} : { functions: await functionsOf(shell, functions) }),
  };
}

/** The functions that a module exports, by name; those of a default export that is a mapping as well. */
async function functionsOf(
  shell: Shell,
  module: string,
): Promise<{ readonly [name: string]: TaskFunction }> {
  const path = resolve(shell.cwd, module);
  let exported: { readonly [name: string]: unknown };
  try {
    exported = (await import(pathToFileURL(path).href)) as typeof exported;
  } catch (error) {
    throw new TroupeError('TRP_WORKFLOW_MODULE', `It cannot be loaded: ${messageOf(error)}`, {
      place: path,
      cause: error,
    });
  }
  const { default: mapping } = exported;
  const inMapping = typeof mapping === 'object' && mapping !== null ? Object.entries(mapping) : [];
  const functions = [...Object.entries(exported), ...inMapping].filter(
    ([, value]) => typeof value === 'function',
  );
  if (functions.length > 0) return Object.fromEntries(functions) as never;
  throw new TroupeError('TRP_WORKFLOW_MODULE', 'It exports no functions.', { place: path });
}
