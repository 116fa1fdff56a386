import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { messageOf, TroupeError } from '../../core/errors.ts';
import type { LocalServerFolder } from './local-server-folder.ts';

/**
 * Runs the server, again when it crashed, until nobody holds the pipe that is its standard input: the system closes the
 * ends of those who die, however they die. Then it ends its process group, which is all that it has started.
 * Arguments: binary, configuration, and the files to remove at the end.
 */
const guardScript = `
binary="$1"
config="$2"
shift 2
(
  trap 'exit 0' TERM
  while [ -e "$config" ]; do
    "$binary" -c "$config"
    sleep 0.5
  done
) < /dev/null &
server=$!
while read -r _; do :; done
trap '' TERM
kill -TERM 0
wait "$server"
rm -f "$@"
`;

/** One user's hold on a server: as long as anybody has one, the server runs. */
export class Hold {
  private readonly path: string;
  private descriptor: number | undefined;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
  }

  /** A new pipe that only this process holds; undefined when there is one. */
  static create(path: string): Hold | undefined {
    const { status, error, stderr } = spawnSync('mkfifo', ['-m', '600', path]);
    if (status === 0) return new Hold(path, openSync(path, constants.O_RDWR));
    if (exists(path)) return undefined;
    const said = error ? messageOf(error) : stderr.toString().trim();
    throw new TroupeError('TRP_BUS_SERVER', `A local server cannot be started here: ${said}.`, {
      place: path,
      hint: 'Start a NATS server yourself, and name its URL.',
    });
  }

  /** A hold on a server that somebody else has started; undefined when no guard is there. */
  static join(path: string): Hold | undefined {
    try {
      return new Hold(path, openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch {
      return undefined;
    }
  }

  /** Whether the path still names this pipe, and not one that somebody else has put there. */
  get isCurrent(): boolean {
    if (this.descriptor === undefined || !exists(this.path)) return false;
    return fstatSync(this.descriptor).ino === statSync(this.path).ino;
  }

  release(): void {
    if (this.descriptor === undefined) return;
    closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

/** Starts the guard in a session of its own, out of reach of a terminal's Ctrl-C. The promise resolves when it has ended. */
export function startGuard(folder: LocalServerFolder, binary: string): Promise<void> {
  const log = openSync(folder.log, 'a', 0o600);
  const pipe = openSync(folder.users, constants.O_RDONLY);
  const files = [folder.pid, folder.record, folder.users];
  const args = ['-c', guardScript, 'troupe-nats', binary, folder.config, ...files];
  const guard = spawn('/bin/sh', args, {
    detached: true,
    stdio: [pipe, log, log],
  });
  closeSync(pipe);
  closeSync(log);
  guard.unref();
  return new Promise((resolve) => {
    guard.once('exit', () => resolve());
    guard.once('error', () => resolve());
  });
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
