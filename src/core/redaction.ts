import type { Logger } from './log.ts';
import type { Plain, PlainObject } from './plain.ts';

/** Shorter values are not looked for: they would be found in everything. */
export const minSecretLength = 6;

/** Values that nobody may read anywhere, by the name that stands in their place. */
export class Secrets {
  private readonly names = new Map<string, string>();
  /** Longest first, so that a value that holds another one goes whole. */
  private needles: readonly (readonly [needle: string, placeholder: string])[] = [];

  /** Whether there is nothing to look for. */
  get isEmpty(): boolean {
    return this.names.size === 0;
  }

  /**
   * Declares a value secret for as long as this lives; of a structure, every text in it. It is looked for as it is, as
   * it stands in JSON and in URLs, and in Base64.
   * @returns false: it is too short to be looked for
   */
  add(name: string, value: Plain): boolean {
    const texts = textsOf(value);
    const long = texts.filter((text) => text.length >= minSecretLength);
    for (const text of long) for (const form of formsOf(text)) this.names.set(form, name);
    this.needles = [...this.names]
      .map(([needle, of]) => [needle, placeholderOf(of)] as const)
      .sort(([a], [b]) => b.length - a.length);
    return long.length === texts.length;
  }

  /** The same value with the name of each secret in its place; itself where there is none. */
  redact<Value>(value: Value): Value {
    return this.isEmpty ? value : (this.visit(value as Plain) as Value);
  }

  private visit(value: Plain): Plain {
    if (typeof value === 'string') return this.text(value);
    if (value === null || typeof value !== 'object') return value;
    if (value instanceof Uint8Array) return this.bytes(value);
    if (Array.isArray(value)) {
      const items = (value as readonly Plain[]).map((item) => this.visit(item));
      return items.some((item, index) => item !== (value as readonly Plain[])[index])
        ? items
        : value;
    }
    return this.object(value as PlainObject);
  }

  private object(value: PlainObject): Plain {
    let isSame = true;
    const entries = Object.entries(value).map(([key, item]) => {
      const redacted = [this.text(key), this.visit(item)] as const;
      isSame &&= redacted[0] === key && redacted[1] === item;
      return redacted;
    });
    return isSame ? value : Object.fromEntries(entries);
  }

  private text(value: string): string {
    let redacted = value;
    for (const [needle, placeholder] of this.needles)
      if (redacted.includes(needle)) redacted = redacted.replaceAll(needle, placeholder);
    return redacted;
  }

  private bytes(value: Uint8Array): Uint8Array {
    let text = Buffer.from(value).toString('latin1');
    const before = text;
    for (const [needle, placeholder] of this.needles)
      text = text.replaceAll(Buffer.from(needle).toString('latin1'), placeholder);
    return text === before ? value : new Uint8Array(Buffer.from(text, 'latin1'));
  }
}

/** A logger that says no secret. */
export function withoutSecrets(logger: Logger, secrets: Secrets): Logger {
  const level =
    (name: keyof Logger) =>
    (message: string, fields?: PlainObject): void =>
      logger[name](secrets.redact(message), fields && secrets.redact(fields));
  return {
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
  };
}

function placeholderOf(name: string): string {
  return `[secret ${name}]`;
}

function textsOf(value: Plain): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return [];
  return Object.values(value as PlainObject).flatMap(textsOf);
}

/** Base64 of a text in the middle of others depends on what stands before it: the part that does not, in each case. */
function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const inside = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const encoded = whole.subarray(0, whole.length - (whole.length % 3)).toString('base64');
    return encoded.slice(Math.ceil((before * 4) / 3));
  });
  const forms = [text, text.trim(), JSON.stringify(text).slice(1, -1), encodeURIComponent(text)];
  return [...forms, ...inside].filter((form) => form.length >= minSecretLength);
}
