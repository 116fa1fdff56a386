import { spawnSync } from 'node:child_process';
import { isBusAddress } from '../../core/bus-choice.ts';
import { messageOf } from '../../core/errors.ts';
import type { Shell } from '../shell.ts';
import type { Check } from './check.ts';

/** Whether `bus: nats` can start a server here. */
export async function serverBinaryCheck(shell: Shell, isWanted: boolean): Promise<Check> {
  const name = 'nats-server';
  const path = shell.env['TROUPE_NATS_SERVER'] || name;
  const { stdout = '', status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const version = /v?\d+\.\d+\.\d+\S*/.exec(stdout)?.[0];
  if (status === 0 && version !== undefined)
    return { name, status: 'ok', detail: `${version} (${path})` };
  const hint =
    'Only `--bus nats` needs it: install nats-server, or name it in TROUPE_NATS_SERVER, or use a server with --bus nats://host:4222.';
  return { name, status: isWanted ? 'fail' : 'ok', detail: 'not installed', ...(isWanted ? { hint } : {}) };
}
