/**
 * Cuts a stream of bytes into lines, holding at most `maxBytes` of an unfinished one. Text is decoded
 * line by line, so a character that is split over two chunks arrives whole.
 */
export class LineCutter {
  private readonly maxBytes: number;
  private pending: Buffer[] = [];
  private pendingBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Complete lines, without their newlines; undefined when a line is longer than the limit. */
  push(chunk: Buffer): readonly string[] | undefined {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (!this.hold(chunk.subarray(start, end))) return undefined;
      lines.push(this.take());
      start = end + 1;
    }
    return this.hold(chunk.subarray(start)) ? lines : undefined;
  }

  private hold(part: Buffer): boolean {
    this.pendingBytes += part.length;
    if (this.pendingBytes > this.maxBytes) return false;
    if (part.length > 0) this.pending.push(part);
    return true;
  }

  private take(): string {
    const line = Buffer.concat(this.pending).toString('utf8');
    this.pending = [];
    this.pendingBytes = 0;
    return line;
  }
}
