/** Every rule that combines concurrent writes to a key, by the name that documents give it. */
export const mergerNames = [
  'priority_merge',
  'first_writer_wins',
  'last_writer_wins',
  'three_way',
  'append',
  'union',
  'max',
  'min',
  'sum',
  'reject',
  'manual',
] as const;
