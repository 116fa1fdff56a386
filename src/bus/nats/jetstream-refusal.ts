import { TroupeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';

/** The error in an answer of JetStream. */
export interface ApiError {
  /** As in HTTP. */
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** Errors of JetStream (`err_code`) that the driver acts on. */
export const apiCodes = {
  consumerNotFound: 10_014,
  deleteFailed: 10_057,
  messageNotFound: 10_037,
  noStorage: 10_047,
  streamNameInUse: 10_058,
  streamNotFound: 10_059,
  subjectsOverlap: 10_065,
  wrongLastSeq: 10_071,
  limitReached: 10_077,
} as const;

const contractCodes: { readonly [apiCode: number]: ErrorCode } = {
  [apiCodes.wrongLastSeq]: 'TRP_BUS_CONFLICT',
  [apiCodes.limitReached]: 'TRP_BUS_FULL',
  [apiCodes.noStorage]: 'TRP_BUS_FULL',
};

/** JetStream understood a call and did not carry it out: an error of the contract that also knows the server's code. */
export class JetStreamRefusal extends TroupeError {
  readonly apiCode: number;
  /** True: the server may carry it out in a moment (recovering, no leader yet). */
  readonly passing: boolean;

  constructor(error: ApiError, place: string) {
    const apiCode = error.err_code ?? error.code;
    const said = error.description ?? `error ${apiCode}`;
    super(contractCodes[apiCode] ?? 'TRP_BUS_SERVER', `JetStream refused: ${said}.`, { place });
    this.apiCode = apiCode;
    // 10039 and 10076 say that JetStream is switched off.
    this.passing = error.code === 503 && ![10_039, 10_076].includes(apiCode);
  }
}

/** Whether JetStream refused for one of the reasons. */
export function isRefusal(error: unknown, ...codes: readonly number[]): error is JetStreamRefusal {
  return error instanceof JetStreamRefusal && codes.includes(error.apiCode);
}
