/** Plain data: what may cross the user's boundary, the bus or the journal. JSON values and byte arrays, nothing else. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** A plain object: string keys, plain values. */
export type PlainObject = { readonly [key: string]: Plain };
