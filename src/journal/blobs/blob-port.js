/** Size from which a value leaves its record, in bytes. Smaller ones are cheaper where they are. */
export const blobBytes = 64 * 1024;
/** Whether a text is the name of a blob: SHA-256 in lower-case hexadecimal. It becomes part of a path. */
export function isBlobHash(hash) {
  return /^[0-9a-f]{64}$/.test(hash);
}
