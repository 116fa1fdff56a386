import { statSync } from 'node:fs';
import type * as promises from 'node:fs/promises';

/** One call that changes a disk, or makes a change last. Files are numbered as they come into being. */
export type DiskCall =
  | { readonly call: 'enter'; readonly path: string; readonly inode: number }
  | { readonly call: 'leave'; readonly path: string }
  | { readonly call: 'rename'; readonly from: string; readonly to: string; readonly inode: number }
  | { readonly call: 'folder'; readonly path: string }
  | {
      readonly call: 'write';
      readonly inode: number;
      readonly position: number;
      readonly bytes: Buffer;
    }
  | { readonly call: 'truncate'; readonly inode: number; readonly length: number }
  | { readonly call: 'sync'; readonly inode: number }
  | { readonly call: 'sync_folder'; readonly path: string }
  | { readonly call: 'acknowledged'; readonly run: string; readonly seq: number };

/** The calls of Node. */
export type Calls = typeof promises;

type FileHandle = promises.FileHandle;

/** All calls below one folder, in the order in which they were made; a sync stands where it has ended. */
export class Recorder {
  readonly calls: DiskCall[] = [];
  /** Nothing is recorded while undefined. */
  root: string | undefined;
  private readonly inodes = new Map<string, number>();
  private count = 0;

  acknowledged(run: string, seq: number): void {
    this.calls.push({ call: 'acknowledged', run, seq });
  }

  /** Begins anew, below another folder. */
  begin(root: string): void {
    this.root = root;
    this.calls.length = 0;
    this.inodes.clear();
  }

  /** The calls of Node, recorded. */
  around(real: Calls): Calls {
    return {
      ...real,
      open: (async (path: string, flags: string, mode?: number) => {
        const isNew = flags.startsWith('w') && this.takes(path) && !this.inodes.has(path);
        const handle = await real.open(path, flags, mode);
        if (!this.takes(path)) return handle;
        if (statSync(path).isDirectory()) return this.folderHandle(path, handle);
        if (isNew) this.enter(path);
        else if (flags === 'w') this.calls.push(this.truncated(path, 0));
        return this.fileHandle(this.inodes.get(path) ?? 0, handle);
      }) as Calls['open'],
      mkdir: (async (path: string, options: object) => {
        const made = await real.mkdir(path, options);
        if (this.takes(path)) this.calls.push({ call: 'folder', path });
        return made;
      }) as Calls['mkdir'],
      writeFile: (async (path: string, data: string | Buffer, options: object) => {
        await real.writeFile(path, data, options);
        if (!this.takes(path)) return;
        if (!this.inodes.has(path)) this.enter(path);
        this.write(this.inodes.get(path) ?? 0, 0, Buffer.from(data));
      }) as Calls['writeFile'],
      link: (async (from: string, to: string) => {
        await real.link(from, to);
        if (this.takes(to)) this.enter(to, this.inodes.get(from));
      }) as Calls['link'],
      rename: (async (from: string, to: string) => {
        await real.rename(from, to);
        const inode = this.inodes.get(from);
        if (!this.takes(to) || inode === undefined) return;
        this.inodes.delete(from);
        this.inodes.set(to, inode);
        this.calls.push({ call: 'rename', from, to, inode });
      }) as Calls['rename'],
      unlink: (async (path: string) => {
        await real.unlink(path);
        if (!this.takes(path)) return;
        this.inodes.delete(path);
        this.calls.push({ call: 'leave', path });
      }) as Calls['unlink'],
    };
  }

  private takes(path: string): boolean {
    return this.root !== undefined && path.startsWith(this.root);
  }

  private enter(path: string, known?: number): void {
    const inode = known ?? ++this.count;
    this.inodes.set(path, inode);
    this.calls.push({ call: 'enter', path, inode });
  }

  private truncated(path: string, length: number): DiskCall {
    return { call: 'truncate', inode: this.inodes.get(path) ?? 0, length };
  }

  private write(inode: number, position: number, bytes: Uint8Array): void {
    this.calls.push({ call: 'write', inode, position, bytes: Buffer.from(bytes) });
  }

  private fileHandle(inode: number, handle: FileHandle): FileHandle {
    let end = 0;
    const synced = async (sync: () => Promise<void>): Promise<void> => {
      await sync();
      this.calls.push({ call: 'sync', inode });
    };
    const recorded: Partial<FileHandle> = {
      write: (async (
        data: string | Buffer,
        from: number = 0,
        length: number = data.length - from,
        position: number = end,
      ) => {
        const bytes = Buffer.from(data as Buffer).subarray(from, from + length);
        this.write(inode, position, bytes);
        end = position + bytes.length;
        await handle.write(bytes, 0, bytes.length, position);
        return { bytesWritten: bytes.length, buffer: data };
      }) as FileHandle['write'],
      writeFile: (async (data: Uint8Array) => {
        this.write(inode, 0, data);
        await handle.writeFile(data);
      }) as FileHandle['writeFile'],
      truncate: async (length = 0) => {
        this.calls.push({ call: 'truncate', inode, length });
        await handle.truncate(length);
      },
      datasync: () => synced(() => handle.datasync()),
      sync: () => synced(() => handle.sync()),
      close: () => handle.close(),
    };
    return recorded as FileHandle;
  }

  private folderHandle(path: string, handle: FileHandle): FileHandle {
    const recorded: Partial<FileHandle> = {
      sync: async () => {
        await handle.sync();
        this.calls.push({ call: 'sync_folder', path });
      },
      close: () => handle.close(),
    };
    return recorded as FileHandle;
  }
}
