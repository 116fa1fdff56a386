/** Who has written a key of a group's members, or writes it; and which members declare it by name. */
export interface KeyWriters {
  readonly first: Map<string, string>;
  readonly declared: ReadonlyMap<string, readonly string[]>;
}
