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
    if (!shell('mount -t tmpfs -o "size=$1" tmpfs "$0"', path, String(bytes))) {
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
    shell('umount "$0"', this.path);
    rmdirSync(this.path);
  }

  private get ballast(): string {
    return join(this.path, 'ballast');
  }
}

/** Whether a line of the shell succeeds; its words are `$0`, `$1` ... */
function shell(line: string, ...words: readonly string[]): boolean {
  return spawnSync('sh', ['-c', line, ...words]).status === 0;
}
