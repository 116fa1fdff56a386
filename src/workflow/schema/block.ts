import { z } from 'zod';

/** Starts the message of an issue about unknown keys; the block's name follows. */
export const blockMark = 'block:';

const keysOfBlocks = new Map<string, readonly string[]>();

/** A mapping with known keys and nothing else, known by name so that a fault about a key can say what fits there. */
export function block<Shape extends z.ZodRawShape>(
  name: string,
  description: string,
  shape: Shape,
) {
  keysOfBlocks.set(name, Object.keys(shape));
  return z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? `${blockMark}${name}` : 'expected a mapping',
    })
    .meta({ title: name.replaceAll('_', ' '), description });
}

/** The keys of a block. */
export function keysOfBlock(name: string): readonly string[] {
  return keysOfBlocks.get(name) ?? [];
}
