import { checkHeaders } from './headers.ts';
import type { Headers } from './headers.ts';

/** Version of the envelope and of the subjects; two engines may share a bus when they share this. */
export const protocolVersion = '1';

/** Who sent a message about what. */
export interface Envelope {
  readonly run?: string;
  readonly task?: string;
  readonly attempt?: number;
  /** Operation id: the same for every attempt at one result. */
  readonly op?: string;
  /** Fencing epoch of the run's owner. */
  readonly epoch?: number;
  /** W3C trace context. */
  readonly traceparent?: string;
}

const names = {
  run: 'Troupe-Run',
  task: 'Troupe-Task',
  attempt: 'Troupe-Attempt',
  op: 'Troupe-Op',
  epoch: 'Troupe-Epoch',
  traceparent: 'traceparent',
} as const;

/** Header that carries {@link protocolVersion}. */
export const protocolHeader = 'Troupe-Protocol';

/**
 * The headers of an envelope. Text that no header can hold is percent-encoded (RFC 3986).
 * @throws TroupeError TRP_BUS_PAYLOAD
 */
export function envelopeHeaders(envelope: Envelope): Headers {
  const headers: { [name: string]: string } = { [protocolHeader]: protocolVersion };
  for (const [field, name] of Object.entries(names)) {
    const value = envelope[field as keyof Envelope];
    if (value !== undefined) headers[name] = encodeURIComponent(wellFormed(String(value)));
  }
  return checkHeaders(headers);
}

/** The envelope that a message's headers hold; what is missing or malformed is left out. */
export function envelopeOf(headers: Headers): Envelope {
  const text = (name: string): string | undefined => decoded(headers[name]);
  const number = (name: string): number | undefined => {
    const value = Number(headers[name]);
    return Number.isSafeInteger(value) && headers[name] !== '' ? value : undefined;
  };
  const envelope = {
    run: text(names.run),
    task: text(names.task),
    attempt: number(names.attempt),
    op: text(names.op),
    epoch: number(names.epoch),
    traceparent: text(names.traceparent),
  };
  return Object.fromEntries(
    Object.entries(envelope).filter(([, value]) => value !== undefined),
  ) as Envelope;
}

/** Half a character (a lone surrogate) has no encoding. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function decoded(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
