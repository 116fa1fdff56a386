/**
 * Plain data as one line of JSON, keys in their own order. Bytes, which JSON lacks, are
 * `{"$bytes":"<base64>"}` as in the canonical text. `spaces` indents for people; default none.
 */
export function jsonText(value: unknown, spaces?: number): string {
  return JSON.stringify(value, bytesAsText, spaces);
}

/** A message as the line that carries it. */
export function jsonLine(message: unknown): string {
  return `${jsonText(message)}\n`;
}

/** `item` is what `toJSON` made of the value, which for a Buffer is a list of numbers; so the holder is asked. */
function bytesAsText(this: unknown, key: string, item: unknown): unknown {
  const held = (this as { [key: string]: unknown })[key];
  return held instanceof Uint8Array ? { $bytes: Buffer.from(held).toString('base64') } : item;
}
