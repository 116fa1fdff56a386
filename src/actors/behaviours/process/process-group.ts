import type { ChildProcess } from 'node:child_process';
import type { Clock, TimerHandle } from '../../../core/clock.ts';

/** How a child ended: by code, by signal, or by never having started. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the program could not be started. */
  readonly spawnError: NodeJS.ErrnoException | undefined;
}

/** Time for the pipes of an ended child to run dry when somebody outside its group still holds them. */
const drainMs = 500;

const isWindows = process.platform === 'win32';

/**
 * A child that leads a process group of its own, with everything that it starts.
 *
 * Invariants:
 * 1. When `ended` resolves, the leader is gone, its group has been killed and its pipes are closed here.
 * 2. A signal goes to the group only while the leader has not been seen to end, or right at its end.
 * 3. When this process exits, living groups are killed.
 *
 * A descendant that leaves the group (setsid) escapes; it cannot hold up `ended`.
 */
export class ProcessGroup {
  readonly ended: Promise<ProcessEnd>;
  private readonly child: ChildProcess;
  private readonly clock: Clock;
  private drainTimer: TimerHandle;
  private alive: boolean;

  /** @param child spawned with `detached: true`. */
  constructor(child: ChildProcess, clock: Clock) {
    this.child = child;
    this.clock = clock;
    this.alive = child.pid !== undefined;
    this.ended = this.follow();
    if (this.alive) living.add(this);
  }

  /** Sends a signal to every process of the group; nothing when it has ended. */
  signal(name: NodeJS.Signals): void {
    const { pid } = this.child;
    if (!this.alive || pid === undefined) return;
    try {
      if (isWindows) this.child.kill(name);
      else process.kill(-pid, name);
    } catch {
      // ESRCH: the group is empty already. EPERM: what is left in it belongs to another user.
    }
  }

  private follow(): Promise<ProcessEnd> {
    const { child } = this;
    return new Promise((resolve) => {
      child.on('error', (spawnError) => {
        if (child.pid !== undefined) return;
        this.closePipes();
        resolve({ code: null, signal: null, spawnError });
      });
      child.once('exit', (code, signal) => {
        this.signal('SIGKILL');
        this.alive = false;
        living.delete(this);
        void this.drained().then(() => resolve({ code, signal, spawnError: undefined }));
      });
    });
  }

  /** Until everything that the child wrote has been read; bounded, since a stranger may hold a pipe open. */
  private async drained(): Promise<void> {
    const bounded = new Promise<void>((resolve) => {
      this.drainTimer = this.clock.setTimeout(resolve, drainMs);
    });
    await Promise.race([this.closed(), bounded]);
    this.clock.clearTimeout(this.drainTimer);
    this.closePipes();
  }

  private closePipes(): void {
    // A child that could not be started for want of descriptors has no pipes at all.
    for (const stream of this.child.stdio ?? []) stream?.destroy();
    if (this.child.connected) this.child.disconnect();
  }

  /** The event `close` of a child does not come when this side has disconnected, so each pipe is followed by itself. */
  private closed(): Promise<unknown> {
    const { stdout, stderr } = this.child;
    const pipes = [stdout, stderr].filter((pipe) => pipe && !pipe.closed);
    const waits = pipes.map((pipe) => new Promise((resolve) => pipe?.once('close', resolve)));
    if (this.child.connected)
      waits.push(new Promise((resolve) => this.child.once('disconnect', resolve)));
    return Promise.all(waits);
  }
}

/** Groups to kill when this process exits without having ended them; one listener for all. */
class LivingGroups {
  private readonly groups = new Set<ProcessGroup>();
  private readonly killAll = (): void => {
    for (const group of this.groups) group.signal('SIGKILL');
  };

  add(group: ProcessGroup): void {
    if (this.groups.size === 0) process.once('exit', this.killAll);
    this.groups.add(group);
  }

  delete(group: ProcessGroup): void {
    this.groups.delete(group);
    if (this.groups.size === 0) process.off('exit', this.killAll);
  }
}

const living = new LivingGroups();
