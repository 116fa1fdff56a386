import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();
let reaper: ChildProcess | undefined;

/**
 * Makes sure that a child does not outlive this process, not even when this one is killed: a shell reads the
 * numbers of all such children from a pipe, and ends those of the last line when the pipe closes. Where there is
 * no shell, the children end when this process exits by itself.
 */
export function endsWithThisProcess(child: ChildProcess): void {
  reaper ??= startReaper();
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    tellReaper();
  });
  tellReaper();
}

function startReaper(): ChildProcess {
  const script = 'while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids';
  const shell = spawn('sh', ['-c', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  return shell;
}

function tellReaper(): void {
  const pids = [...running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  reaper?.stdin?.write(`${pids.join(' ')}\n`);
}
