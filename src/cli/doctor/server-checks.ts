import { busChoiceText, isBusAddress, isBusChoice } from '../../core/bus-choice.ts';
import { systemClock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import type {
  JetStreamReport,
  ServerInspection,
  ServerUse,
} from '../../bus/nats/inspect-server.ts';
import { natsEnvironment } from '../../runtime/nats-environment.ts';
import type { Shell } from '../shell.ts';
import type { Check, CheckStatus } from './check.ts';
import { hostsCheck } from './hosts-check.ts';

/** Messages of this size are what every bus takes. */
const wantedPayloadBytes = 1_048_576;

/** From this difference on, times in journals of several hosts mislead. */
const clockToleranceMs = 1_000;

/** A share of a limit from which on it is told. */
const nearlyFull = 0.9;

/** What can be told of the bus that was named; of a server, what it is and what its user may do. */
export async function serverChecks(
  bus: string | undefined,
  env: Shell['env'] = {},
  { isServerHere = true, ns }: { readonly isServerHere?: boolean; readonly ns?: string } = {},
): Promise<readonly Check[]> {
  if (bus === undefined || bus === 'embedded')
    return [{ name: 'bus', status: 'ok', detail: 'embedded: nothing is needed' }];
  if (!isBusChoice(bus))
    throw new TroupeError('TRP_OPTION_INVALID', `The bus must be ${busChoiceText}.`);
  if (!isBusAddress(bus)) return [localBusCheck(isServerHere)];
  try {
    const { inspectServer } = await import('../../bus/nats/inspect-server.ts');
    const options = { ...natsEnvironment(env), clock: systemClock, schedule: setImmediate };
    const found = inspectionChecks(await inspectServer(bus, options));
    return [...found, await hostsCheck({ url: bus, ns, env })];
  } catch (error) {
    if (!(error instanceof TroupeError)) throw error;
    return [{ name: 'bus', status: 'fail', detail: error.message, hint: error.hint }];
  }
}

function localBusCheck(isServerHere: boolean): Check {
  const name = 'bus';
  if (isServerHere)
    return { name, status: 'ok', detail: 'nats: a server is started when it is needed' };
  const hint = 'See nats-server above.';
  return { name, status: 'fail', detail: 'nats: there is no server to start', hint };
}

/** A server's inspection, line by line. */
export function inspectionChecks(found: ServerInspection): readonly Check[] {
  return [
    versionCheck(found),
    roundTripCheck(found),
    payloadCheck(found),
    ...jetStreamChecks(found.jetStream),
    ...clockCheck(found.clockAheadMs),
    ...roleChecks(found.roles),
    featureCheck(found),
    { name: 'loss of power', status: 'ok', detail: `sync_interval: ${found.sync}` },
  ];
}

function versionCheck({ version, name, recommended }: ServerInspection): Check {
  const detail = `nats-server ${version} (${name})`;
  if (recommended) return { name: 'bus', status: 'ok', detail };
  const hint = 'It works; from 2.12 on faults of older servers are mended, some of security.';
  return { name: 'bus', status: 'warn', detail, hint };
}

function roundTripCheck({ roundTripMs, encrypted }: ServerInspection): Check {
  const { median, worst } = roundTripMs;
  const wire = encrypted ? 'encrypted' : 'not encrypted';
  const detail = `${median.toFixed(1)} ms, at worst ${worst.toFixed(1)} ms, ${wire}`;
  return { name: 'round trip', status: 'ok', detail };
}

function payloadCheck({ maxPayloadBytes }: ServerInspection): Check {
  const [name, detail] = ['largest message', `${maxPayloadBytes} bytes`];
  if (maxPayloadBytes >= wantedPayloadBytes) return { name, status: 'ok', detail };
  const hint = `Set max_payload to ${wantedPayloadBytes} or more: larger values are refused.`;
  return { name, status: 'warn', detail, hint };
}

function jetStreamChecks(report: JetStreamReport): readonly Check[] {
  if (!report.enabled) {
    const hint = 'Start the server with JetStream (-js): queues, logs and keys need it.';
    return [{ name: 'JetStream', status: 'fail', detail: report.reason, hint }];
  }
  const { memory, storage, streams, consumers } = report;
  return Object.entries({ memory, storage, streams, consumers }).map(([what, use]) =>
    useCheck(`JetStream ${what}`, use),
  );
}

function useCheck(name: string, { used, limit }: ServerUse): Check {
  if (limit < 0) return { name, status: 'ok', detail: `${used} used, no limit` };
  const detail = `${used} of ${limit} used`;
  if (used < limit * nearlyFull) return { name, status: 'ok', detail };
  const status: CheckStatus = used >= limit ? 'fail' : 'warn';
  return { name, status, detail, hint: 'Raise the limit of the account, or remove what is old.' };
}

function clockCheck(aheadMs: number | undefined): readonly Check[] {
  if (aheadMs === undefined) return [];
  const side = aheadMs < 0 ? 'behind' : 'ahead';
  const detail = `the server's is ${Math.abs(aheadMs).toFixed(0)} ms ${side}`;
  if (Math.abs(aheadMs) <= clockToleranceMs) return [{ name: 'clock', status: 'ok', detail }];
  const hint = 'Set both by NTP: deadlines of a run that changes hosts are absolute times.';
  return [{ name: 'clock', status: 'warn', detail, hint }];
}

/** Any one role is enough to be useful; a user who may do nothing is not. */
function roleChecks(roles: ServerInspection['roles']): readonly Check[] {
  const isAnything = Object.values(roles).some(({ allowed }) => allowed);
  return Object.entries(roles).map(([role, { allowed, denied }]): Check => {
    const name = `may be a ${role}`;
    if (allowed) return { name, status: 'ok', detail: 'yes' };
    const hint = 'config/nats-permissions.conf has what each role needs.';
    return { name, status: isAnything ? 'warn' : 'fail', detail: `no: ${denied.join(', ')}`, hint };
  });
}

/** Nothing that Troupe does needs them: it does without, at a cost. */
function featureCheck({ features }: ServerInspection): Check {
  const missing = features.filter(({ available }) => !available);
  if (missing.length === 0) return { name: 'features', status: 'ok', detail: 'all' };
  const detail = `without ${missing.length} of ${features.length}:`;
  return { name: 'features', status: 'ok', detail, list: missing.map(({ name }) => name) };
}
