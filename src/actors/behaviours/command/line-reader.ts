/** Limits of what one attempt may print. In bytes. */
export interface LineLimits {
  readonly maxLineBytes: number;
  readonly maxTotalBytes: number;
}

/**
 * Cuts chunks of bytes into lines of text. Lines end with `\n`; a `\r` before it is dropped.
 * Keeps at most one line of bytes, whatever comes.
 */
export class LineReader {
  private readonly limits: LineLimits;
  private readonly onLine: (line: string) => void;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private pieces: Uint8Array[] = [];
  private pieceBytes = 0;
  private totalBytes = 0;

  constructor(limits: LineLimits, onLine: (line: string) => void) {
    this.limits = limits;
    this.onLine = onLine;
  }

  /** @throws RangeError when a limit is passed, TypeError when a line is not UTF-8; the reader is of no use after. */
  push(chunk: Uint8Array): void {
    this.totalBytes += chunk.length;
    if (this.totalBytes > this.limits.maxTotalBytes) {
      throw new RangeError(`more than ${this.limits.maxTotalBytes} bytes`);
    }
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      this.keep(chunk.subarray(start, end));
      this.flush();
      start = end + 1;
    }
    this.keep(chunk.subarray(start));
  }

  /** Hands over the last line, which may lack its end. @throws as {@link push}. */
  end(): void {
    if (this.pieceBytes > 0) this.flush();
  }

  private keep(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.pieceBytes += piece.length;
    if (this.pieceBytes > this.limits.maxLineBytes) {
      throw new RangeError(`a line of more than ${this.limits.maxLineBytes} bytes`);
    }
    this.pieces.push(piece);
  }

  private flush(): void {
    const line = this.decoder.decode(Buffer.concat(this.pieces, this.pieceBytes));
    this.pieces = [];
    this.pieceBytes = 0;
    this.onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
