import { TroupeError } from '../../core/errors.ts';

/** A version of the server. */
export type ServerVersion = readonly [major: number, minor: number, patch: number];

/** Oldest server that the driver works with: what Debian 12 carries. */
const oldestServer: ServerVersion = [2, 9, 10];

/** `2.10.27-RC.1` as numbers; zeros where there are none. */
export function parseVersion(text: string): ServerVersion {
  const [, major = 0, minor = 0, patch = 0] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major), Number(minor), Number(patch)];
}

/** Whether a server has what came with `needed`. */
export function isAtLeast(version: ServerVersion, needed: ServerVersion): boolean {
  for (const [index, number] of version.entries()) {
    const floor = needed[index] ?? 0;
    if (number !== floor) return number > floor;
  }
  return true;
}

/** Why the driver does not work with a server of this version; undefined when it does. */
export function versionFault(version: ServerVersion): TroupeError | undefined {
  if (isAtLeast(version, oldestServer)) return undefined;
  const message = `The server is nats-server ${version.join('.')}; ${oldestServer.join('.')} is the oldest that works.`;
  return new TroupeError('TRP_BUS_SERVER', message, {
    hint: 'Install a newer nats-server: 2.12 or later is recommended.',
  });
}
