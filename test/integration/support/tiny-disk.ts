import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own in memory, with a file on it that takes space until it is removed. */
export class TinyDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Undefined where this process may not mount. */
  static mount(bytes: number, taken: number): TinyDisk | undefined {
    const path = mkdtempSync(join(tmpdir(), 'troupe-tiny-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
    if (mounted.status !== 0) {
      rmdirSync(path);
      return undefined;
    }
    const disk = new TinyDisk(path);
    writeFileSync(disk.ballast, Buffer.alloc(taken));
    return disk;
  }

  /** Space returns. */
  free(): void {
    rmSync(this.ballast);
  }

  unmount(): void {
    spawnSync('umount', [this.path]);
    rmdirSync(this.path);
  }

  private get ballast(): string {
    return join(this.path, 'ballast');
  }
}
