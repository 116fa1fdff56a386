import { TroupeError, errorInfo } from '../core/errors.ts';
import type { Plain } from '../core/plain.ts';
import type {
  AttemptPort,
  AttemptRequest,
  AttemptSettlement,
  Behaviour,
  CallPort,
  Progress,
  RemoteTerms,
} from './behaviours/behaviour.ts';
import type { ActorLogic, ActorScope, Snapshot } from './xstate.ts';

/**
 * Slots of one kind of work, shared by all runs of the process: it carries attempts out.
 *
 * Invariants:
 * 1. Every attempt that began is settled exactly once, to whoever began it.
 * 2. An attempt is in the Map from its begin until it is settled; what comes after that is dropped.
 * 3. An abort reaches the attempt's signal at once; the behaviour settles within its kill time.
 * 4. Stopping the pool aborts everything that runs.
 * 5. An attempt whose pool has died is aborted as lost, and settles with its client by itself: see {@link strand}.
 */
export interface PoolSnapshot {
  readonly status: Snapshot<undefined>['status'];
  readonly output: undefined;
  readonly error: undefined;
  readonly value: 'open' | 'closed';
  /** Attempts that run now, by key. */
  readonly attempts: ReadonlyMap<string, unknown>;
}

/** Who began an attempt, and wants to know of it. Called from the pool, never twice for a settlement. */
export interface AttemptClient {
  settled(settlement: AttemptSettlement): void;
  progressed(progress: Progress): void;
  /** Resolves when the step is durable. */
  stepDone(name: string, value: Plain): Promise<void>;
  /** The attempt's way to providers. */
  readonly calls?: CallPort | undefined;
  /** What only matters where another host carries the attempt out. */
  readonly remote?: RemoteTerms | undefined;
}

/** Every message that a pool may receive. */
export type PoolEvent =
  | {
      readonly type: 'attempt.begin';
      /** Unique among the attempts that run: run and task. */
      readonly key: string;
      readonly behaviour: Behaviour;
      readonly request: AttemptRequest;
      readonly client: AttemptClient;
    }
  | { readonly type: 'attempt.abort'; readonly key: string; readonly error: TroupeError }
  | {
      readonly type: 'attempt.over';
      readonly attempt: LiveAttempt;
      readonly settlement: AttemptSettlement;
    }
  | { readonly type: 'xstate.stop' };

/** Actor logic of a pool; see {@link createPool}. */
export type PoolLogic = ActorLogic<PoolSnapshot & Snapshot<undefined>, PoolEvent, undefined>;

type Scope = ActorScope<PoolSnapshot & Snapshot<undefined>, PoolEvent>;
type Begin = Extract<PoolEvent, { type: 'attempt.begin' }>;

/** One running attempt. The AbortController is made when somebody looks at the signal: most never do. */
class LiveAttempt implements AttemptPort {
  readonly key: string;
  readonly client: AttemptClient;
  private controller: AbortController | undefined;
  private aborted: TroupeError | undefined;
  private listener: ((reason: unknown) => void) | undefined;
  /** Its pool is gone. */
  isStranded = false;

  constructor(key: string, client: AttemptClient) {
    this.key = key;
    this.client = client;
  }

  signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.aborted) this.controller.abort(this.aborted);
    }
    return this.controller.signal;
  }

  onAbort(listener: ((reason: unknown) => void) | undefined): void {
    this.listener = listener;
    if (this.aborted) this.tell(this.aborted);
  }

  get calls(): CallPort | undefined {
    return this.client.calls;
  }

  get remote(): RemoteTerms | undefined {
    return this.client.remote;
  }

  progress(progress: Progress): void {
    this.client.progressed(progress);
  }

  stepDone(name: string, value: Plain): Promise<void> {
    return this.client.stepDone(name, value);
  }

  abort(error: TroupeError): void {
    if (this.aborted) return;
    this.aborted = error;
    this.tell(error);
    this.controller?.abort(error);
  }

  /** A listener that throws surfaces as uncaught, as one of a signal does, and fails no other attempt. */
  private tell(error: TroupeError): void {
    try {
      this.listener?.(error);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}

const chart = {
  initial: 'open',
  states: {
    open: {
      on: {
        'attempt.begin': {},
        'attempt.abort': {},
        'attempt.over': {},
        stop: { target: 'closed' },
      },
    },
    closed: { type: 'final' },
  },
} as const;

/** Logic of a pool. @param id name in charts. */
export function createPool(id: string): PoolLogic {
  return {
    config: { id, ...chart },
    getInitialSnapshot: () => snapshotOf(new Map(), 'active'),
    transition: (snapshot, event, scope) => {
      const attempts = snapshot.attempts as Map<string, LiveAttempt>;
      switch (event.type) {
        case 'attempt.begin':
          begin(attempts, event, scope);
          return snapshot;
        case 'attempt.abort':
          attempts.get(event.key)?.abort(event.error);
          return snapshot;
        case 'attempt.over':
          settle(attempts, event);
          return snapshot;
        case 'xstate.stop':
          stop(attempts);
          return snapshotOf(attempts, 'stopped');
      }
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

function snapshotOf(
  attempts: ReadonlyMap<string, LiveAttempt>,
  status: 'active' | 'stopped',
): PoolSnapshot & Snapshot<undefined> {
  const value = status === 'active' ? 'open' : 'closed';
  return { status, output: undefined, error: undefined, value, attempts } as never;
}

function begin(attempts: Map<string, LiveAttempt>, event: Begin, scope: Scope): void {
  const { key, client, behaviour, request } = event;
  const attempt = new LiveAttempt(key, client);
  const over = (settlement: AttemptSettlement): void =>
    attempt.isStranded
      ? client.settled(settlement)
      : scope.self.send({ type: 'attempt.over', attempt, settlement });
  const fail = (error: unknown): void => over({ status: 'failed', error: errorInfo(error) });
  attempts.set(key, attempt);
  try {
    behaviour
      .execute(request, attempt)
      .then((result) => over({ status: 'succeeded', result }), fail);
  } catch (error) {
    fail(error);
  }
}

function settle(
  attempts: Map<string, LiveAttempt>,
  { attempt, settlement }: Extract<PoolEvent, { type: 'attempt.over' }>,
): void {
  if (attempts.get(attempt.key) !== attempt) return;
  attempts.delete(attempt.key);
  attempt.client.settled(settlement);
}

/**
 * Lets go of what a pool that is gone was carrying out. Its runs hear of each attempt when that has ended, as
 * always, so that nothing is begun again beside it.
 */
export function strand(
  { attempts }: Pick<PoolSnapshot, 'attempts'>,
  error: TroupeError = died(),
): void {
  for (const attempt of attempts.values() as Iterable<LiveAttempt>) {
    attempt.isStranded = true;
    attempt.abort(error);
  }
}

function died(): TroupeError {
  const message = 'The pool that carried the attempt out has died.';
  return new TroupeError('TRP_ATTEMPT_LOST', message, { errorClass: 'lost' });
}

function stop(attempts: Map<string, LiveAttempt>): void {
  const error = new TroupeError('TRP_ATTEMPT_CANCELLED', 'The process is shutting down.', {
    errorClass: 'cancelled',
  });
  strand({ attempts }, error);
  attempts.clear();
}
