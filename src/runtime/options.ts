import { availableParallelism } from 'node:os';
import type { Bus } from '../bus/bus.ts';
import { busChoiceText, isBusChoice } from '../core/bus-choice.ts';
import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { TroupeError } from '../core/errors.ts';
import { randomIds } from '../core/ids.ts';
import type { Ids } from '../core/ids.ts';
import { silentLogger } from '../core/log.ts';
import type { Logger } from '../core/log.ts';
import type { DurabilityLevel } from '../journal/journal.ts';
import { defaultLeaseTerms } from '../journal/lease.ts';
import { scheduleClasses } from '../policies/fair-share.ts';
import { concurrencyKind } from '../workflow/model.ts';
import type { ProviderSpec, ScheduleSpec } from '../workflow/model.ts';
import { nearestName } from '../workflow/distance.ts';
import type { TroupeOptions } from './api.ts';
import { boundsOf } from './bounds-options.ts';
import { journalOf } from './journal-options.ts';
import { providersOf } from './provider-options.ts';

/** Options with every default filled in. */
export interface TroupeConfig {
  readonly dataDir: string | undefined;
  readonly level: DurabilityLevel;
  readonly journal: NonNullable<TroupeOptions['journal']>;
  readonly adopt: boolean;
  readonly takeRuns: number;
  readonly leaseMs: number;
  /** Undefined: nothing is removed. */
  readonly retainMs: number | undefined;
  readonly concurrency: number;
  /** Runs that do not say how many attempts they want at one time choose it themselves. */
  readonly autoConcurrency: boolean;
  readonly resources: NonNullable<TroupeOptions['resources']>;
  readonly bounds: TroupeOptions['bounds'];
  readonly functions: NonNullable<TroupeOptions['functions']>;
  readonly providers: { readonly [name: string]: ProviderSpec };
  readonly control: boolean;
  /** Undefined: nobody has said, so that a document may. */
  readonly bus: string | Bus | undefined;
  readonly ns: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** The clock is simulated, and so is every behaviour. */
  readonly simulated: boolean;
}

const defaults = {
  concurrency: 16,
  autoConcurrency: false,
  resources: {},
  functions: {},
  control: true,
  bus: undefined,
  ns: 'default',
  adopt: false,
  takeRuns: 0,
  leaseMs: defaultLeaseTerms.ttlMs,
  retainMs: undefined,
  clock: systemClock,
  ids: randomIds,
  logger: silentLogger,
  simulated: false,
};

const scheduleKeys: readonly string[] = ['share', 'class'];

const maxTakenRuns = 100_000;
const maxConcurrency = 100_000;

/** Attempts per core at which a process that chooses itself stops: they wait for others most of the time. */
const autoPerCore = 32;

/**
 * Fills in the defaults and checks what was given.
 * @throws TroupeError TRP_OPTION_INVALID naming the option, its value and its range.
 */
export function configOf(options: TroupeOptions): TroupeConfig {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const { dataDir, providers, concurrency, ...rest } = given as TroupeOptions;
  const config = {
    ...defaults,
    ...rest,
    ...concurrencyOf(concurrency),
    providers: providersOf(providers),
    bounds: boundsOf(rest.bounds),
    ...journalOf(given as TroupeOptions),
  };
  checkConcurrency(config.concurrency);
  checkResources(config.resources);
  checkBus(config);
  checkTakeRuns(config);
  checkRetention(config);
  if (!(config.leaseMs >= 500 && config.leaseMs <= 600_000))
    throw invalid('leaseMs', config.leaseMs, 'milliseconds from 500 to 600000');
  const isStored = config.journal === 'file';
  return {
    ...config,
    dataDir: config.journal === 'memory' ? undefined : dataDir,
    control: isStored && config.control,
  };
}

function concurrencyOf(
  concurrency: TroupeOptions['concurrency'],
): Partial<Pick<TroupeConfig, 'concurrency' | 'autoConcurrency'>> {
  if (concurrency === undefined) return {};
  if (concurrency !== 'auto') return { concurrency };
  return { concurrency: autoPerCore * availableParallelism(), autoConcurrency: true };
}

function checkConcurrency(concurrency: number): void {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= maxConcurrency) return;
  throw invalid('concurrency', concurrency, `auto, or a whole number from 1 to ${maxConcurrency}`);
}

function checkResources(resources: TroupeConfig['resources']): void {
  for (const [kind, units] of Object.entries(resources)) {
    const range = 'a number of units from 0';
    if (!(units >= 0 && Number.isFinite(units))) throw invalid(`resources.${kind}`, units, range);
    if (kind === concurrencyKind) throw invalid('resources', kind, 'given as `concurrency`');
  }
}

/**
 * Checks a caller's word on a run's schedule.
 * @throws TroupeError TRP_OPTION_INVALID
 */
export function checkSchedule(schedule: ScheduleSpec): void {
  for (const key of Object.keys(schedule))
    if (!scheduleKeys.includes(key)) throw unknownScheduleKey(key);
  const { share = 1, class: name = 'normal' } = schedule;
  if (!(share > 0 && Number.isFinite(share))) {
    throw invalid('schedule.share', share, 'a number above 0');
  }
  if (!scheduleClasses.includes(name)) {
    throw invalid('schedule.class', name, scheduleClasses.join(', '));
  }
}

function unknownScheduleKey(key: string): TroupeError {
  const meant = nearestName(key, scheduleKeys);
  const message = `The option schedule.${key} is not known; schedule has ${scheduleKeys.join(', ')}.`;
  const hint = meant === undefined ? undefined : `Did you mean "${meant}"?`;
  return new TroupeError('TRP_OPTION_INVALID', message, hint === undefined ? {} : { hint });
}

const namespaceForm = /^[A-Za-z0-9_-]{1,64}$/;

/** The text may hold a password, so it is not shown. */
function checkBus({ bus, ns }: Pick<TroupeConfig, 'bus' | 'ns'>): void {
  if (typeof bus === 'string' && !isBusChoice(bus)) {
    const message = `The option bus names no bus; it must be ${busChoiceText}.`;
    throw new TroupeError('TRP_OPTION_INVALID', message);
  }
  if (!namespaceForm.test(ns)) throw invalid('ns', ns, 'letters, digits, - and _, at most 64');
}

function checkTakeRuns({ takeRuns, journal }: Pick<TroupeConfig, 'takeRuns' | 'journal'>): void {
  const isCount = Number.isInteger(takeRuns) && takeRuns >= 0 && takeRuns <= maxTakenRuns;
  if (!isCount) throw invalid('takeRuns', takeRuns, `a whole number from 0 to ${maxTakenRuns}`);
  if (takeRuns > 0 && journal !== 'bus')
    throw invalid('takeRuns', takeRuns, '0, as long as `journal` is not bus');
}

function checkRetention({ journal, retainMs }: Pick<TroupeConfig, 'journal' | 'retainMs'>): void {
  if (retainMs === undefined) return;
  if (!(retainMs >= 0 && Number.isFinite(retainMs)))
    throw invalid('retainMs', retainMs, 'milliseconds from 0');
  if (journal !== 'bus')
    throw invalid('retainMs', retainMs, 'absent, as long as `journal` is not bus');
}

function invalid(option: string, value: unknown, range: string): TroupeError {
  return new TroupeError(
    'TRP_OPTION_INVALID',
    `The option ${option} is ${JSON.stringify(value)}; it must be ${range}.`,
  );
}
