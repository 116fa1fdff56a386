import type { Clock } from '../core/clock.ts';
import { errorInfo } from '../core/errors.ts';
import type { ErrorInfo } from '../core/errors.ts';
import { AdmissionQueue } from '../policies/admission.ts';
import type { PermitRequest } from '../policies/admission.ts';
import type { Claim } from '../policies/fair-share.ts';
import type { ActorLogic, Snapshot } from './xstate.ts';

/** Who asks for permits: a run. */
export interface PermitHolder {
  /** These may start now; what they demand is held until it is released. */
  granted(ids: readonly string[]): void;
  /** This can never start. */
  refused(id: string, error: ErrorInfo): void;
}

/** A wish to start, without what the governor fills in. */
export type PermitWish = Omit<PermitRequest, 'scope' | 'at'>;

/** Every message that the governor may receive. */
export type GovernorEvent =
  | {
      readonly type: 'scope.open';
      readonly scope: string;
      /** Units per kind that the run limits; a kind named nowhere has capacity 1. */
      readonly capacity: Readonly<Record<string, number>>;
      readonly holder: PermitHolder;
      /** The run's part of what the process shares. */
      readonly claim?: Claim | undefined;
    }
  /** Other limits from now on; what is held stays held. */
  | {
      readonly type: 'scope.limit';
      readonly scope: string;
      readonly capacity: Readonly<Record<string, number>>;
      readonly claim?: Claim | undefined;
    }
  /** Nothing more is wanted; what is held comes back by release, and what is left with the close. */
  | { readonly type: 'scope.drain'; readonly scope: string }
  | { readonly type: 'scope.close'; readonly scope: string }
  | {
      readonly type: 'permits.request';
      readonly scope: string;
      readonly wishes: readonly PermitWish[];
    }
  /** What waits is ordered anew; undefined: it keeps its rank. */
  | {
      readonly type: 'permits.rerank';
      readonly scope: string;
      readonly rankOf: (id: string) => number | undefined;
    }
  | { readonly type: 'permit.withdraw'; readonly scope: string; readonly id: string }
  | { readonly type: 'permit.release'; readonly scope: string; readonly id: string }
  | { readonly type: 'xstate.stop' };

/** What the governor is made from. */
export interface GovernorInput {
  readonly clock: Clock;
  /** Attempts at one time over all runs. */
  readonly concurrency: number;
  /** Units of other kinds that all runs share; default: every kind is a run's own. */
  readonly resources?: Readonly<Record<string, number>> | undefined;
  /** Waiting time that raises a priority by one. */
  readonly agePeriodMs: number;
}

/** The governor's queue, and whom its permits go to. */
export interface GovernorSnapshot {
  readonly status: Snapshot<undefined>['status'];
  readonly output: undefined;
  readonly error: undefined;
  readonly value: 'admitting' | 'closed';
  readonly queue: AdmissionQueue;
  readonly holders: Map<string, PermitHolder>;
  readonly clock: Clock;
}

/** Actor logic of the governor. */
export type GovernorLogic = ActorLogic<
  GovernorSnapshot & Snapshot<undefined>,
  GovernorEvent,
  GovernorInput
>;

/** Admits tasks, all or nothing: units, locks, concurrency and priority within a run, fair shares between runs. */
export const governorLogic: GovernorLogic = {
  config: {
    id: 'governor',
    initial: 'admitting',
    states: {
      admitting: {
        on: {
          'scope.open': {},
          'scope.limit': {},
          'scope.drain': {},
          'scope.close': {},
          'permits.request': {},
          'permits.rerank': {},
          'permit.withdraw': {},
          'permit.release': {},
          stop: { target: 'closed' },
        },
      },
      closed: { type: 'final' },
    },
  },
  getInitialSnapshot: (_scope, { clock, concurrency, resources, agePeriodMs }) =>
    ({
      status: 'active',
      output: undefined,
      error: undefined,
      value: 'admitting',
      queue: new AdmissionQueue({ capacity: { ...resources, concurrency }, agePeriodMs }),
      holders: new Map(),
      clock,
    }) as never,
  transition: (snapshot, event) => {
    if (event.type === 'xstate.stop')
      return { ...snapshot, status: 'stopped', value: 'closed' } as never;
    if (receive(snapshot, event)) admit(snapshot);
    return snapshot;
  },
  getPersistedSnapshot: (snapshot) => snapshot,
};

/** Takes an event in. True when something may have become able to start. */
function receive(governor: GovernorSnapshot, event: GovernorEvent): boolean {
  const { queue, holders } = governor;
  switch (event.type) {
    case 'scope.open':
      holders.set(event.scope, event.holder);
      queue.setScope(event.scope, event.capacity, event.claim);
      return false;
    case 'scope.limit':
      queue.setScope(event.scope, event.capacity, event.claim);
      return true;
    case 'permits.rerank':
      queue.rerank(event.scope, event.rankOf);
      return false;
    case 'scope.drain':
      queue.withdrawAll(event.scope);
      return false;
    case 'scope.close':
      holders.delete(event.scope);
      queue.removeScope(event.scope);
      return true;
    case 'permits.request':
      for (const wish of event.wishes) request(governor, event.scope, wish);
      return true;
    case 'permit.withdraw':
      queue.withdraw(event.scope, event.id);
      return false;
    case 'permit.release':
      return queue.release(event.scope, event.id);
    case 'xstate.stop':
      return false;
  }
}

function request(
  { queue, holders, clock }: GovernorSnapshot,
  scope: string,
  wish: PermitWish,
): void {
  try {
    queue.request({ ...wish, scope, at: clock.now() });
  } catch (error) {
    holders.get(scope)?.refused(wish.id, errorInfo(error));
  }
}

function admit({ queue, holders, clock }: GovernorSnapshot): void {
  const granted = new Map<string, string[]>();
  for (const { scope, id } of queue.admit(clock.now())) {
    const ids = granted.get(scope);
    if (ids) ids.push(id);
    else granted.set(scope, [id]);
  }
  for (const [scope, ids] of granted) holders.get(scope)?.granted(ids);
}
