import { StringDecoder } from 'node:string_decoder';

/** Characters of standard error that an error message quotes. */
const tailLength = 2_000;

/** The last characters of a stream, however much it carries. */
export class Tail {
  private readonly decoder = new StringDecoder('utf8');
  private kept = '';

  add(chunk: Uint8Array): void {
    // Only the end of a large chunk can matter; a character takes at most four bytes.
    const end = chunk.length > 4 * tailLength ? chunk.subarray(-4 * tailLength) : chunk;
    this.kept = (this.kept + this.decoder.write(Buffer.from(end))).slice(-tailLength);
  }

  /** The text on lines of its own, or nothing when the stream was silent: to be put behind a sentence. */
  quoted(): string {
    const text = this.kept.trim();
    return text === '' ? '' : `\n${text}`;
  }
}
