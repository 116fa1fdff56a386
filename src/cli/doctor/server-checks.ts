import { spawnSync } from 'node:child_process';
import { busChoiceText, isBusAddress, isBusChoice } from '../../core/bus-choice.ts';
import { systemClock } from '../../core/clock.ts';
import { TroupeError } from '../../core/errors.ts';
import { connectNats } from '../../bus/nats/connect.ts';
import type { Shell } from '../shell.ts';
import type { Check } from './check.ts';

/** Whether `--bus nats` can start a server here. */
export function serverBinaryCheck(shell: Shell, isWanted: boolean): Check {
  const name = 'nats-server';
  const path = shell.env['TROUPE_NATS_SERVER'] || name;
  const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const version = status === 0 ? /v?\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] : undefined;
  if (version !== undefined) return { name, status: 'ok', detail: `${version} (${path})` };
  const detail = 'not installed; only --bus nats needs it';
  if (!isWanted) return { name, status: 'ok', detail };
  const hint =
    'Install nats-server, name it in TROUPE_NATS_SERVER, or use a server with --bus nats://host:4222.';
  return { name, status: 'fail', detail, hint };
}

/** What can be told of the bus that was named: of a server, whether it is there and answers. */
export async function serverChecks(bus: string | undefined): Promise<readonly Check[]> {
  if (bus === undefined || bus === 'embedded')
    return [{ name: 'bus', status: 'ok', detail: 'embedded: nothing is needed' }];
  if (!isBusChoice(bus))
    throw new TroupeError('TRP_OPTION_INVALID', `The bus must be ${busChoiceText}.`);
  return isBusAddress(bus) ? [await reached(bus)] : [];
}

async function reached(url: string): Promise<Check> {
  const name = 'bus';
  try {
    const bus = await connectNats({ url, clock: systemClock, schedule: setImmediate });
    const begun = systemClock.monotonic();
    await bus.flush();
    const roundTripMs = systemClock.monotonic() - begun;
    await bus.close();
    return { name, status: 'ok', detail: `answers in ${roundTripMs.toFixed(1)} ms` };
  } catch (error) {
    if (!(error instanceof TroupeError)) throw error;
    return { name, status: 'fail', detail: error.message, hint: error.hint };
  }
}
