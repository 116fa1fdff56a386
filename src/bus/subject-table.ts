/** What there is to know of one kind of subject. Placeholders stand in angle brackets, several forms apart by `, `. */
export interface SubjectKindRow {
  /** What the messages are. */
  readonly carries: string;
  /** What follows the kind's own token. */
  readonly form: string;
  /** Where messages are between publisher and reader: `core` (nowhere), a stream or a bucket by its last token. */
  readonly carrier: 'core' | `stream ${StreamRole}` | `bucket ${string}`;
  /** How long they are kept. */
  readonly kept: string;
  readonly writtenBy: string;
  readonly readBy: string;
}

/** The streams of a namespace, by what they are for. */
export type StreamRole = 'WORK' | 'HOLD' | 'GATE' | 'JRN' | 'CFL' | 'RES' | 'DLQ';

/** The token after the namespace. */
export type SubjectKind = keyof typeof subjectKinds;

/** Every kind of subject. The table in docs/subjects.md is generated from this one. */
export const subjectKinds = {
  live: {
    carries: 'Progress; the last value is what counts, and any may be lost',
    form: '<run>, <run>.<task>',
    carrier: 'core',
    kept: 'not kept',
    writtenBy: 'the owner of the run',
    readBy: 'whoever watches',
  },
  hb: {
    carries: 'Signs of life; a node that owns runs answers there that it is alive',
    form: '<node>',
    carrier: 'core',
    kept: 'not kept',
    writtenBy: 'the node',
    readBy: 'every supervisor',
  },
  ctl: {
    carries: 'Control: requests that are answered',
    form: '<node>, <run>, <memory>.memory, workers',
    carrier: 'core',
    kept: 'not kept',
    writtenBy: 'faces and supervisors',
    readBy: 'the node, or the owner of the run',
  },
  att: {
    carries:
      'Attempts on worker hosts: who begins one, how far it is, what it spends, that it is handed back',
    form: '<run>',
    carrier: 'core',
    kept: 'not kept',
    writtenBy: 'worker hosts',
    readBy: 'the owner of the run',
  },
  work: {
    carries:
      'Attempts to carry out; p0 holds priorities 9 and 10, p1 7 and 8, p2 4 to 6, p3 1 to 3',
    form: '<pool>.<level>',
    carrier: 'stream WORK',
    kept: 'until acknowledged',
    writtenBy: 'supervisors',
    readBy: 'one worker host of the pool',
  },
  res: {
    carries: 'Results and steps of attempts',
    form: '<name>',
    carrier: 'stream RES',
    kept: 'until the run has ended',
    writtenBy: 'worker hosts',
    readBy: 'the owner of the run',
  },
  jrn: {
    carries: 'The journal of a run, as frames of records',
    form: '<run>',
    carrier: 'stream JRN',
    kept: 'until the run is removed',
    writtenBy: 'the owner of the run',
    readBy: 'the next owner, and whoever follows the run',
  },
  mem: {
    carries: 'New memory entries; one token per part of the key',
    form: '<run>.<key>',
    carrier: 'bucket mem',
    kept: 'the last versions of a key',
    writtenBy: 'the bucket, which publishes what the owner of the run puts',
    readBy: 'whoever watches',
  },
  cfl: {
    carries: 'Conflicts of writes, and what was dropped',
    form: '<run>',
    carrier: 'stream CFL',
    kept: 'until the run is removed',
    writtenBy: 'the owner of the run',
    readBy: 'people and faces',
  },
  esc: {
    carries: 'Escalations',
    form: '<run>',
    carrier: 'core',
    kept: 'not kept; the journal has them',
    writtenBy: 'the owner of the run',
    readBy: 'people and faces',
  },
  alert: {
    carries: 'Alerts',
    form: '<name>',
    carrier: 'core',
    kept: 'not kept',
    writtenBy: 'any node',
    readBy: 'people and faces',
  },
  dlq: {
    carries: 'Dead letters: work that nobody could carry out, with the reason',
    form: '<pool>',
    carrier: 'stream DLQ',
    kept: 'until somebody removes them',
    writtenBy: 'the queue of the pool',
    readBy: 'supervisors and people',
  },
} as const satisfies { readonly [kind: string]: SubjectKindRow };
