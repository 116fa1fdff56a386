import { resolve } from 'node:path';
import type { TaskFunction } from '../../actors/behaviours/behaviour.ts';
import type { Bus } from '../../bus/bus.ts';
import { busChoiceText, isBusChoice } from '../../core/bus-choice.ts';
import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { randomIds } from '../../core/ids.ts';
import type { Ids } from '../../core/ids.ts';
import { silentLogger } from '../../core/log.ts';
import type { Logger } from '../../core/log.ts';
import type { ProviderSpec } from '../../workflow/model.ts';
import { providersOf } from '../provider-options.ts';
import type { WorkerOptions } from './api.ts';
import type { WorkerTrust } from './permission.ts';

/** Options of a worker host with every default filled in. */
export interface WorkerConfig extends WorkerTrust {
  readonly bus: string | Bus;
  readonly pools: readonly string[];
  readonly concurrency: number;
  readonly functions: { readonly [name: string]: TaskFunction };
  readonly providers: { readonly [name: string]: ProviderSpec };
  readonly environment: { readonly [name: string]: string | undefined };
  readonly ns: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
}

const defaults = {
  concurrency: 4,
  functions: {},
  allowCommands: false,
  ns: 'default',
  clock: systemClock,
  ids: randomIds,
  logger: silentLogger,
};

const maxConcurrency = 10_000;
const poolForm = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/;

/** @throws TroupeError TRP_OPTION_INVALID naming the option, its value and its range */
export function workerConfig(options: WorkerOptions): WorkerConfig {
  check(options);
  const { pools, baseDir, providers, ...rest } = options;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...defaults,
    ...(given as typeof rest),
    pools: [...new Set(pools)],
    providers: providersOf(providers),
    baseDir: baseDir === undefined ? undefined : resolve(baseDir),
    environment: process.env,
  };
}

function check({ bus, pools, concurrency = defaults.concurrency }: WorkerOptions): void {
  if (typeof bus === 'string' && (!isBusChoice(bus) || bus === 'embedded'))
    throw new TroupeError(
      'TRP_OPTION_INVALID',
      `The option bus names no bus that others share; it must be ${busChoiceText}.`,
    );
  const isList = Array.isArray(pools) && pools.length > 0;
  if (!isList || !pools.every((pool) => poolForm.test(pool)))
    throw invalid('pools', pools, 'names of pools, at least one');
  if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= maxConcurrency))
    throw invalid('concurrency', concurrency, `a whole number from 1 to ${maxConcurrency}`);
}

function invalid(option: string, value: unknown, range: string): TroupeError {
  return new TroupeError(
    'TRP_OPTION_INVALID',
    `The option ${option} is ${JSON.stringify(value)}; it must be ${range}.`,
  );
}
