const unitBytes: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1024],
  ['kib', 1024],
  ['mb', 1024 ** 2],
  ['mib', 1024 ** 2],
  ['gb', 1024 ** 3],
  ['gib', 1024 ** 3],
]);

/** Bytes of `8MB`, `64 KiB`, `1gb` (powers of 1024 either way) or of a number. Undefined when malformed. */
export function parseBytes(value: string | number): number | undefined {
  const match = /^(\d{1,15})\s?([a-z]{0,3})$/i.exec(String(value).slice(0, 32).trim());
  const unit = unitBytes.get(match?.[2]?.toLowerCase() ?? '');
  const bytes = match && unit !== undefined ? Number(match[1]) * unit : undefined;
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : undefined;
}
