import { crc32 } from 'node:zlib';

/** What a small file says: its fields; nothing, because it was never written to its end; or that it is damaged. */
export type Unsealed = { readonly [field: string]: unknown } | 'unfinished' | 'damaged';

/** From this format on a checksum of all other fields stands at the end. */
const sealedFormat = 2;

/** One line of JSON with a CRC-32 of what is before it, so that a bit that has flipped is seen. */
export function sealed(fields: object): string {
  const body = { format: sealedFormat, ...fields };
  return `${JSON.stringify({ ...body, crc: crc32(JSON.stringify(body)) })}\n`;
}

/** Reads what {@link sealed} wrote, and files of format 1, which had no checksum. */
export function unsealed(text: string): Unsealed {
  const fields = parsed(text.slice(0, text.lastIndexOf('}') + 1));
  if (fields && isWhole(fields)) return fields;
  return text.endsWith('\n') ? 'damaged' : 'unfinished';
}

function isWhole({ crc, ...body }: { readonly [field: string]: unknown }): boolean {
  if (body['format'] === 1) return crc === undefined;
  return body['format'] === sealedFormat && crc === crc32(JSON.stringify(body));
}

function parsed(text: string): { readonly [field: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
