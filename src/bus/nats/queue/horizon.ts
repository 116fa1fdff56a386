import type { JetStream } from '../jetstream.ts';
import { streamInfo } from '../streams.ts';

/**
 * How far a stream went when the connection was made, the last time. Only of messages up to there can the server
 * have forgotten something in a crash, for a crash ends the connection.
 */
export class Horizon {
  private readonly js: JetStream;
  private readonly stream: string;
  private readonly stopListening: () => void;
  private known: Promise<number> | undefined;

  constructor(js: JetStream, stream: string) {
    this.js = js;
    this.stream = stream;
    this.stopListening = js.link.onReconnect(() => {
      this.known = undefined;
    });
  }

  seq(): Promise<number> {
    if (this.known) return this.known;
    const asked = this.ask();
    this.known = asked;
    asked.catch(() => {
      if (this.known === asked) this.known = undefined;
    });
    return asked;
  }

  close(): void {
    this.stopListening();
  }

  private async ask(): Promise<number> {
    return (await streamInfo(this.js, this.stream))?.state.last_seq ?? 0;
  }
}
