import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Check } from './check.ts';

/** Lowest version of Node.js that Troupe is tested on. */
const lowestNode = [20, 19] as const;

/** Whether this Node.js is new enough. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [lowMajor, lowMinor] = lowestNode;
  const isEnough = major > lowMajor || (major === lowMajor && minor >= lowMinor);
  if (isEnough) return { name: 'Node.js', status: 'ok', detail: version };
  const hint = `Install Node.js ${lowMajor}.${lowMinor} or newer.`;
  return { name: 'Node.js', status: 'fail', detail: version, hint };
}

/** Whether runs can be kept in the data folder, which is made when it is first needed. */
export function dataFolderCheck(folder: string): Check {
  const name = 'data folder';
  const isThere = existsSync(folder);
  try {
    if (isThere && !statSync(folder).isDirectory())
      return { name, status: 'fail', detail: `${folder} is no folder`, hint: 'Name another.' };
    accessSync(isThere ? folder : nearest(folder), constants.W_OK | constants.X_OK);
  } catch (error) {
    const hint = 'Name another one with --data or TROUPE_DATA, or change its permissions.';
    return { name, status: 'fail', detail: messageOf(error), hint };
  }
  return { name, status: 'ok', detail: isThere ? folder : `${folder} (is made by the first run)` };
}

/** The lowest folder above a path that exists. */
function nearest(path: string): string {
  const above = dirname(path);
  return existsSync(above) || above === path ? above : nearest(above);
}
