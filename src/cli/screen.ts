// Invariants of a screen:
// 1. Everything that this process writes to its standard streams goes through here, in the order of the calls.
// 2. While a block stands, foreign text reaches the terminal in whole lines only, each above the block.
// 3. `unfinished` holds no line end; it is written, as a line of its own, when the block is taken away.

/** Lines at the bottom of a terminal that others may write above. */
export interface StandingBlock {
  /** Takes the block away, lets `write` put whole lines in its place, and draws it again below them. */
  above(write: () => void): void;
}

/** Where a screen writes to in the end. */
export interface ScreenStreams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Results stand on a terminal too, so they must not be written into a block. */
  readonly outIsTerminal: boolean;
}

/** Text of an agent that does not end its line is given out as one from this size on, in characters. */
const maxUnfinished = 16_384;

/** The one writer of a process: results, progress, and what agents print beside it. */
export class Screen {
  private readonly streams: ScreenStreams;
  private block: StandingBlock | undefined;
  private unfinished = '';

  constructor(streams: ScreenStreams) {
    this.streams = streams;
  }

  /** Writes results. */
  out(text: string): void {
    const { out, outIsTerminal } = this.streams;
    if (this.block && outIsTerminal) this.block.above(() => out(text));
    else out(text);
  }

  /** Writes progress, the block itself included. */
  err(text: string): void {
    this.streams.err(text);
  }

  /** What anybody else prints: it goes to standard error, above a block if there is one. */
  stray(text: string): void {
    if (!this.block) return this.streams.err(text);
    const whole = this.unfinished + text;
    const end = whole.length > maxUnfinished ? whole.length : whole.lastIndexOf('\n') + 1;
    this.unfinished = whole.slice(end);
    this.printAbove(this.block, whole.slice(0, end));
  }

  /** Lets a block stand until the answer is called. */
  stand(block: StandingBlock): () => void {
    this.block = block;
    return () => this.release(block);
  }

  private release(block: StandingBlock): void {
    if (this.block !== block) return;
    this.printAbove(block, this.unfinished);
    this.unfinished = '';
    this.block = undefined;
  }

  private printAbove(block: StandingBlock, text: string): void {
    if (text === '') return;
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    block.above(() => this.streams.err(lines.map((line) => `${harmless(line)}\n`).join('')));
  }
}

const escape = '\\u001b';

/** Escape sequences (ECMA-48) but colours, and controls but tabs: whatever would move the cursor off its line. */
const moving = new RegExp(
  [
    `${escape}\\][^\\u0007\\u001b]*(?:\\u0007|${escape}\\\\\\\\)?`,
    `${escape}\\[[0-?]*[ -/]*[@-ln-~]`,
    `${escape}(?!\\[)[ -/]*[0-~]?`,
    '[\\u0000-\\u0008\\u000a-\\u001a\\u001c-\\u001f\\u007f-\\u009f]',
  ].join('|'),
  'g',
);

/** A printed line that stays on its line: colours are kept, and end with it. A carriage return leaves what follows it. */
function harmless(line: string): string {
  const last = line.replace(/\r+$/, '');
  const kept = last.slice(last.lastIndexOf('\r') + 1).replace(moving, '');
  return kept.includes('\u001b') ? `${kept}\u001b[0m` : kept;
}
