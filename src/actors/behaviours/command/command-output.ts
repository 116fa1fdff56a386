import { TroupeError } from '../../../core/errors.ts';
import type { Plain } from '../../../core/plain.ts';
import { toPlain } from '../../../core/plain.ts';
import { attemptError } from '../attempt-error.ts';
import { readEvent } from './command-event.ts';
import type { CommandEvent } from './command-event.ts';

/** What the program said about its own end. */
export type CommandVerdict =
  | { readonly said: 'nothing' }
  | { readonly said: 'result'; readonly output: Plain }
  | { readonly said: 'error'; readonly error: TroupeError };

/** Characters of a bad line that a message quotes. */
const excerptLength = 80;

/**
 * Turns the lines that a program prints into events and a verdict. The last line that speaks of the end decides.
 * A program that knows nothing of events prints one JSON value without `type`, on one line or several.
 *
 * Invariants:
 * 1. `document` collects lines only while nothing that was printed made sense on its own.
 * 2. At most one value without `type` is accepted.
 */
export class CommandOutput {
  verdict: CommandVerdict = { said: 'nothing' };
  private readonly onEvent: (event: CommandEvent) => void;
  private document: string[] | undefined;
  private lines = 0;
  private values = 0;
  private plainValues = 0;

  constructor(onEvent: (event: CommandEvent) => void) {
    this.onEvent = onEvent;
  }

  /** @throws TroupeError TRP_COMMAND_OUTPUT, or TRP_PLAIN_DATA for a value that nests too deeply. */
  line(text: string): void {
    this.lines++;
    if (text.trim() === '') return;
    if (this.document) this.document.push(text);
    else this.lineOfItsOwn(text);
  }

  /** Ends the output. @throws as {@link line}. */
  end(): void {
    const { document } = this;
    this.document = undefined;
    if (!document) return;
    const parsed = parse(document.join('\n'));
    if (!parsed)
      throw fault(
        `line ${this.lines - document.length + 1} is not JSON: ${excerpt(document[0] ?? '')}`,
      );
    this.accept(parsed.value);
  }

  private lineOfItsOwn(text: string): void {
    const parsed = parse(text);
    if (parsed) this.accept(parsed.value);
    else if (this.values === 0) this.document = [text];
    else throw fault(`line ${this.lines} is not JSON: ${excerpt(text)}`);
  }

  private accept(value: unknown): void {
    this.values++;
    const plain = toPlain(value, `line ${this.lines} of the program's output`);
    const event = readEvent(plain);
    if (event === 'untyped') this.acceptOutput(plain);
    else if (event.type === 'result') this.verdict = { said: 'result', output: event.output };
    else if (event.type === 'error') this.verdict = { said: 'error', error: attemptError(event) };
    else this.onEvent(event);
  }

  private acceptOutput(output: Plain): void {
    if (++this.plainValues > 1) throw fault(`line ${this.lines} is a second value without "type"`);
    this.verdict = { said: 'result', output };
  }
}

/** The error for output that cannot be used. */
export function fault(what: string): TroupeError {
  return new TroupeError('TRP_COMMAND_OUTPUT', `The program's output cannot be used: ${what}.`);
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > excerptLength ? `${text.slice(0, excerptLength)}…` : text);
}
