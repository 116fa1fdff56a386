import type { Clock } from '../../core/clock.ts';
import type { Deadline, Deadlines } from '../../core/deadlines.ts';
import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import type { DeliveryQueue, Receiver, Schedule } from './delivery-queue.ts';
import type { FaultyNetwork } from './faults.ts';
import { Line } from './line.ts';
import type { Linked } from './line.ts';
import type { Asker, Message } from './message.ts';

/** What becomes of a request. */
export interface Settlement {
  readonly resolve: (answer: Plain) => void;
  readonly reject: (error: TroupeError) => void;
}

/** What an {@link OpenRequest} needs of its bus. */
export interface RequestHome {
  /** The answer as it is passed on. Throws TRP_BUS_PAYLOAD. */
  readonly checked: (answer: Plain) => Plain;
  readonly deliveries: DeliveryQueue<Message>;
  readonly network: FaultyNetwork | undefined;
  /** Told when a lane has run empty, whose timer nobody needs any more. */
  readonly idle: () => void;
}

/**
 * A request that waits for its answer.
 *
 * Invariant: it is settled once, and stands in the line of its lane exactly while it is not.
 */
export class OpenRequest implements Linked<OpenRequest>, Asker, Receiver<undefined> {
  before: OpenRequest | undefined;
  after: OpenRequest | undefined;
  line: Line<OpenRequest> | undefined;
  readonly subject: string;
  dueMs = 0;
  private readonly settlement: Settlement;
  private readonly home: RequestHome;
  private answer: Plain | undefined;

  constructor(subject: string, settlement: Settlement, home: RequestHome) {
    this.subject = subject;
    this.settlement = settlement;
    this.home = home;
  }

  /** Takes an answer on its way; the first that arrives counts. */
  answered(payload: Plain): void {
    const { checked, network, deliveries } = this.home;
    const answer = checked(payload);
    if (network) network.send(this, () => deliveries.push(() => this.settle(answer)));
    else if (this.answer === undefined) {
      this.answer = answer;
      deliveries.wake(this);
    }
  }

  /** The answer is here. */
  receive(): void {
    if (this.answer !== undefined) this.settle(this.answer);
  }

  fail(error: TroupeError): void {
    this.line?.remove(this);
    this.settlement.reject(error);
  }

  private settle(answer: Plain): void {
    const { line } = this;
    if (!line) return;
    line.remove(this);
    if (line.size === 0) this.home.idle();
    this.settlement.resolve(answer);
  }
}

/** Requests of one timeout, which are due in the order in which they were made. */
interface Lane {
  readonly timeoutMs: number;
  readonly line: Line<OpenRequest>;
  deadline: Deadline | undefined;
}

/** How a {@link Requests} is made. */
export interface RequestsOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly schedule: Schedule;
}

/**
 * Requests that wait for their answer. A request that is answered within the turn of the event loop costs no
 * timer: only what is open when the turn ends is given a deadline, one for all of one timeout.
 *
 * Invariants:
 * 1. A request stands in the line of its lane exactly while it is open.
 * 2. After each review, a lane has a deadline exactly when its line holds somebody.
 */
export class Requests {
  private readonly clock: Clock;
  private readonly deadlines: Deadlines;
  private readonly schedule: Schedule;
  private readonly lanes = new Map<number, Lane>();
  private reviewing = false;

  constructor({ clock, deadlines, schedule }: RequestsOptions) {
    this.clock = clock;
    this.deadlines = deadlines;
    this.schedule = schedule;
  }

  /** Begins to wait. */
  open(request: OpenRequest, timeoutMs: number): void {
    request.dueMs = this.clock.now() + timeoutMs;
    this.laneOf(timeoutMs).line.push(request);
    this.arrangeReview();
  }

  /** At the end of the turn: by then most requests have been answered. */
  readonly arrangeReview = (): void => {
    if (this.reviewing) return;
    this.reviewing = true;
    this.schedule(this.review);
  };

  rejectAll(error: TroupeError): void {
    for (const { line } of this.lanes.values())
      for (let request = line.shift(); request; request = line.shift()) request.fail(error);
    this.review();
  }

  private laneOf(timeoutMs: number): Lane {
    let lane = this.lanes.get(timeoutMs);
    if (!lane) {
      lane = { timeoutMs, line: new Line(), deadline: undefined };
      this.lanes.set(timeoutMs, lane);
    }
    return lane;
  }

  private readonly review = (): void => {
    this.reviewing = false;
    for (const lane of this.lanes.values()) {
      const { first } = lane.line;
      if (first) lane.deadline ??= this.deadlines.at(first.dueMs, () => this.expire(lane));
      else this.forget(lane);
    }
  };

  private forget(lane: Lane): void {
    lane.deadline?.cancel();
    lane.deadline = undefined;
    this.lanes.delete(lane.timeoutMs);
  }

  /** Ends what is due; the first that is not gets the next deadline. */
  private expire(lane: Lane): void {
    const { line, timeoutMs } = lane;
    lane.deadline = undefined;
    const now = this.clock.now();
    for (let first = line.first; first && first.dueMs <= now; first = line.first) {
      first.fail(timeoutError(first.subject, timeoutMs));
    }
    this.review();
  }
}

function timeoutError(subject: string, timeoutMs: number): TroupeError {
  return new TroupeError(
    'TRP_BUS_TIMEOUT',
    `Nobody answered on ${subject} within ${timeoutMs} ms.`,
    { errorClass: 'timeout' },
  );
}
