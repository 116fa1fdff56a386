import type { Plain } from '../../core/plain.ts';
import type { BusMessage } from '../bus.ts';
import type { Headers } from '../headers.ts';

/** Whoever asked a question. */
export interface Asker {
  answered(payload: Plain): void;
}

/** One message, shared by all who get it. */
export class Message implements BusMessage {
  readonly subject: string;
  readonly payload: Plain;
  readonly headers: Headers;
  /** Undefined: nobody asked, and answers go nowhere. */
  #asker: Asker | undefined;

  constructor(subject: string, payload: Plain, headers: Headers) {
    this.subject = subject;
    this.payload = payload;
    this.headers = headers;
  }

  /** Makes it a request. */
  answerTo(asker: Asker): void {
    this.#asker = asker;
  }

  respond(payload: Plain): void {
    this.#asker?.answered(payload);
  }
}
