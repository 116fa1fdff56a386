import { TroupeError } from '../../core/errors.ts';
import type { JetStream } from './jetstream.ts';
import { apiCodes, isRefusal } from './jetstream-refusal.ts';

/** What the driver sets of a stream's configuration; times are nanoseconds, as the server has them. */
export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'workqueue';
  readonly storage: 'file' | 'memory';
  readonly num_replicas: number;
  readonly discard: 'new' | 'old';
  readonly max_age: number;
  readonly max_msgs_per_subject: number;
  readonly duplicate_window: number;
  readonly allow_direct: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly deny_delete: boolean;
  readonly deny_purge: boolean;
  readonly republish?: { readonly src: string; readonly dest: string };
  readonly description?: string;
}

/** What a stream is and holds. */
export interface StreamInfo {
  readonly config: StreamConfig;
  readonly state: {
    readonly messages: number;
    readonly first_seq: number;
    readonly last_seq: number;
    readonly subjects?: { readonly [subject: string]: number };
  };
  /** Subjects that fit the filter, over all pages. */
  readonly total?: number;
}

/** Nanoseconds in a millisecond. */
export const nanosPerMs = 1_000_000;

/** Ids of messages are known this long, in milliseconds. */
export const defaultWindowMs = 120_000;

/** Times that overlapping subjects may be those of the same stream, which somebody else is making at that moment. */
const mostOverlaps = 20;
/** Between two looks whether it is made, in milliseconds. */
const overlapPauseMs = 50;

/** What an existing stream must agree in for the driver to be right about it. */
const essentials = [
  'subjects',
  'retention',
  'max_age',
  'max_msgs_per_subject',
  'deny_purge',
] as const;

/** A configuration with what all streams of the driver share. */
export function streamConfig(
  js: JetStream,
  config: Pick<StreamConfig, 'name' | 'subjects'> & Partial<StreamConfig>,
): StreamConfig {
  return {
    retention: 'limits',
    storage: 'file',
    num_replicas: js.replicas,
    // A limit that an operator sets refuses what is new; nothing that was acknowledged makes room.
    discard: 'new',
    max_age: 0,
    max_msgs_per_subject: -1,
    duplicate_window: defaultWindowMs * nanosPerMs,
    allow_direct: false,
    allow_rollup_hdrs: false,
    deny_delete: false,
    deny_purge: false,
    ...config,
  };
}

/**
 * Streams that were made or found through one link.
 *
 * Invariant: a stream that `ensure` gave out exists with a configuration that the driver can work with: options
 * that a server does not know fail silently, so what it says afterwards is compared.
 */
export class Streams {
  private readonly js: JetStream;
  private readonly known = new Map<string, Promise<StreamConfig>>();

  constructor(js: JetStream) {
    this.js = js;
  }

  /** The configuration that the stream has. Rejects with TRP_BUS_SERVER when it is not what it must be. */
  ensure(wanted: StreamConfig, mustMatch?: readonly (keyof StreamConfig)[]): Promise<StreamConfig> {
    const known = this.known.get(wanted.name);
    if (known) return known;
    const made = this.findOrMake(wanted, mustMatch ?? essentials);
    this.known.set(wanted.name, made);
    made.catch(() => this.known.delete(wanted.name));
    return made;
  }

  private async findOrMake(
    wanted: StreamConfig,
    mustMatch: readonly (keyof StreamConfig)[],
  ): Promise<StreamConfig> {
    for (let tries = 1; ; tries++) {
      const found = await streamInfo(this.js, wanted.name);
      if (found) return compared(wanted, found.config, mustMatch);
      try {
        const made = await this.js.call<StreamInfo>(`STREAM.CREATE.${wanted.name}`, wanted);
        return compared(wanted, made.config, Object.keys(wanted) as (keyof StreamConfig)[]);
      } catch (error) {
        // Somebody else made it meanwhile, with other options; or is making it, and the server, which does not
        // know its name yet, takes its subjects for those of another stream.
        if (isRefusal(error, apiCodes.streamNameInUse)) continue;
        if (!isRefusal(error, apiCodes.subjectsOverlap) || tries >= mostOverlaps) throw error;
      }
      await this.js.pause(overlapPauseMs);
    }
  }
}

/** Which subjects of a stream are counted. */
interface SubjectCount {
  readonly subjects_filter: string;
  /** Subjects to pass over; the server tells them a page at a time. */
  readonly offset?: number;
}

/** What the server says of a stream; undefined when there is none. @param filter counts messages by subject */
export function streamInfo(
  js: JetStream,
  name: string,
  filter?: string,
): Promise<StreamInfo | undefined> {
  return infoOf(js, name, filter === undefined ? undefined : { subjects_filter: filter });
}

/** What the server says of a stream and of some of its subjects; undefined when there is none. */
export async function infoOf(
  js: JetStream,
  name: string,
  body: SubjectCount | undefined,
): Promise<StreamInfo | undefined> {
  try {
    return await js.call<StreamInfo>(`STREAM.INFO.${name}`, body);
  } catch (error) {
    if (isRefusal(error, apiCodes.streamNotFound)) return undefined;
    throw error;
  }
}

function compared(
  wanted: StreamConfig,
  found: StreamConfig,
  mustMatch: readonly (keyof StreamConfig)[],
): StreamConfig {
  const differing = mustMatch.filter((key) => text(wanted[key]) !== text(found[key]));
  if (differing.length === 0) return found;
  const [what] = differing
    .map((key) => `${key} is ${text(found[key])} and should be ${text(wanted[key])}`)
    .slice(0, 1);
  throw new TroupeError(
    'TRP_BUS_SERVER',
    `The stream ${wanted.name} is not as it must be: ${what}.`,
    {
      place: wanted.name,
      hint: 'Remove or rename the stream if nobody needs it, use another namespace, or a newer server.',
    },
  );
}

/** As the server sends it: it leaves out what is false or nothing. */
function text(value: unknown): string {
  const plain = value === undefined || value === '' || value === 0 ? false : value;
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain))
    return JSON.stringify(plain);
  return JSON.stringify(Object.entries(plain).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
