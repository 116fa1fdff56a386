import { spawnSync } from 'node:child_process';
import type { Shell } from '../shell.ts';
import type { Check } from './check.ts';

/** Whether `--bus nats` can start a server here. */
export function serverBinaryCheck(shell: Shell, isWanted: boolean): Check {
  const name = 'nats-server';
  const path = shell.env['TROUPE_NATS_SERVER'] || name;
  const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  const version = status === 0 ? /v?\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] : undefined;
  if (version !== undefined) return { name, status: 'ok', detail: `${version} (${path})` };
  if (!isWanted) return { name, status: 'ok', detail: 'not installed; only --bus nats needs it' };
  const detail = 'not installed';
  const hint =
    'Install nats-server, name it in TROUPE_NATS_SERVER, or use a server with --bus nats://host:4222.';
  return { name, status: 'fail', detail, hint };
}
