import type { Bus } from '../bus/bus.ts';
import { ctlSubject } from '../bus/subjects.ts';
import type { Plain } from '../core/plain.ts';
import { fold } from '../journal/fold.ts';
import type { TaskRow } from '../journal/run-state.ts';
import { proposalSubject, requestPayload } from '../memory/shared/proposal-message.ts';
import type { Dice } from './dice.ts';
import type { SharedStore } from './shared-store.ts';
import type { Trace } from './trace.ts';

/** Those who ask things of runs over the bus, and do not always wait for an answer before they ask again. */
export class People {
  private readonly bus: Bus;
  private readonly store: SharedStore;
  private readonly trace: Trace;
  private readonly isSilent: boolean;
  private proposals = 0;

  /** @param options isSilent: questions that answer themselves in the end are left to do so */
  constructor(bus: Bus, store: SharedStore, options: { trace: Trace; isSilent: boolean }) {
    this.bus = bus;
    this.store = store;
    this.trace = options.trace;
    this.isSilent = options.isSilent;
  }

  /** Somebody does something to some run. */
  act(dice: Dice): void {
    const runs = [...this.store.runs.keys()];
    const run = runs[dice.between(0, runs.length - 1)];
    if (run === undefined) return;
    const what = dice.pick(['cancel', 'decide', 'propose', 'propose', 'pause']);
    this.trace.add('people', `${what} ${run}`);
    if (what === 'cancel') this.ask(run, 'cancel', { by: 'somebody' });
    else if (what === 'pause') this.ask(run, 'pause', { by: 'somebody' });
    else if (what === 'decide') this.decide(run);
    else this.propose(run);
  }

  /** Somebody looks after runs that wait for a word: what is paused goes on, what is asked is answered. */
  async lookAfter(dice: Dice): Promise<void> {
    for (const run of this.store.open()) {
      const { paused, tasks } = fold(await this.store.read(run));
      const parked = [...tasks.values()].find(({ phase }) => phase === 'parked');
      if (parked && paused?.task !== undefined) {
        const verb = dice.pick(['retry', 'skip', 'resume']);
        this.ask(run, verb, verb === 'resume' ? {} : { task: parked.id });
      } else if (paused) this.ask(run, 'resume', {});
      else if (parked) this.answer(run, parked, dice);
    }
  }

  /** A question with a deadline answers itself in the end: in some worlds nobody else does. */
  private answer(run: string, { recovery }: TaskRow, dice: Dice): void {
    const escalation = recovery?.escalation;
    if (!escalation || (this.isSilent && escalation.opened.deadline !== undefined)) return;
    const choice = dice.pick(['retry', 'skip', 'fail']);
    this.ask(run, 'answer', { question: escalation.id, choice });
  }

  private decide(run: string): void {
    const open = this.store.taken
      .filter((taken) => taken.run === run)
      .flatMap(({ records }) => records)
      .find(({ type }) => type === 'conflict.recorded');
    if (open) this.ask(run, 'resolve_conflict', { conflict: open.seq, choice: 'mine' });
  }

  private ask(run: string, verb: string, payload: Plain): void {
    const subject = ctlSubject(this.bus.ns, run);
    // An answer may be lost, and so may the request: the world does not depend on it.
    this.bus.request(subject, { verb, payload }).catch(() => undefined);
  }

  /** The same proposal twice: it is to count once. */
  private propose(run: string): void {
    const number = ++this.proposals;
    const proposal = {
      task: 'somebody',
      agent: 'somebody',
      op: `people-${number}`,
      base: 0,
      priority: 5,
      changes: [{ key: 'people.note', value: number }],
    };
    const subject = proposalSubject(this.bus.ns, run);
    for (let copy = 0; copy < 2; copy++)
      this.bus.request(subject, requestPayload([proposal])).catch(() => undefined);
  }
}
