/** What a process offers to others on the bus, as tools show it. */
export interface BusService {
  /** Letters, digits, `-` and `_`. */
  readonly name: string;
  /** Of this instance; unique among those of the name. */
  readonly id: string;
  /** Semantic version. */
  readonly version: string;
  readonly description: string;
  /** ISO 8601. */
  readonly started: string;
  readonly metadata: { readonly [key: string]: string };
  readonly endpoint: { readonly name: string; readonly subject: string; readonly queue: string };
  stats(): BusServiceStats;
}

/** What the service has done since it was started. */
export interface BusServiceStats {
  readonly requests: number;
  readonly errors: number;
  readonly lastError: string;
  /** In all. */
  readonly busyMs: number;
  /** Anything more. */
  readonly data: { readonly [key: string]: unknown };
}
