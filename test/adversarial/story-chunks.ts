/** More stories: TROUPE_FUZZ_SEEDS. A failure names its seed, for TROUPE_FUZZ_SEED. */
const onlySeed = process.env['TROUPE_FUZZ_SEED'];

/** Only one story is told again. */
export const isSingle = onlySeed !== undefined;

/**
 * First and last seed of each test.
 * @param usual stories, where nobody asks for more
 * @param size of a chunk: short enough for the timeout of a test on a slow machine
 */
export function storyChunks(usual: number, size: number): (readonly [number, number])[] {
  const first = Number(onlySeed ?? process.env['TROUPE_FUZZ_FROM'] ?? 0);
  const count = isSingle ? 1 : Number(process.env['TROUPE_FUZZ_SEEDS'] ?? usual);
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => {
    const from = first + index * size;
    return [from, Math.min(from + size, first + count) - 1] as const;
  });
}
