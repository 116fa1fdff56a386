import { createSupervisor } from '../../src/actors/supervisor.ts';
import type { ChildSpec } from '../../src/actors/supervised-children.ts';
import type { SupervisorSnapshot } from '../../src/actors/supervisor.ts';
import { createRoot, setup } from '../../src/actors/xstate.ts';
import type { AnyActorLogic, AnyActorRef, InspectionEvent } from '../../src/actors/xstate.ts';
import { Deadlines } from '../../src/core/deadlines.ts';
import { silentLogger } from '../../src/core/log.ts';
import { seededRandom } from '../../src/core/random.ts';
import { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { defaultRestart } from '../../src/policies/restart-spec.ts';
import type { RestartSpec } from '../../src/policies/restart-spec.ts';

/** Something that lives below a child, so that an orphan would be seen. */
const below = setup({}).createMachine({ id: 'below', initial: 'alive', states: { alive: {} } });

/** Throws at the n-th of the actions that its machine carries out; 0: never. */
export interface Fuse {
  left: number;
}

function burn(fuse: Fuse): void {
  if (fuse.left > 0 && --fuse.left === 0) throw new Error('an action threw');
}

/** A child with something below it, which dies, ends, or lingers when it is told to. */
export function part(fuse: Fuse = { left: 0 }): AnyActorLogic {
  return setup({
    actors: { below },
    actions: {
      burn: () => burn(fuse),
      die: () => {
        throw new Error('told to die');
      },
    },
  }).createMachine({
    id: 'part',
    invoke: { src: 'below', id: 'below' },
    entry: 'burn',
    exit: 'burn',
    initial: 'working',
    states: {
      working: { on: { work: { actions: 'burn' }, linger: 'lingering', end: 'over' } },
      lingering: { entry: 'burn', on: { work: { actions: 'burn' } } },
      over: { type: 'final', entry: 'burn' },
    },
    on: { die: { actions: 'die' } },
  });
}

/** A supervisor as the root of a system of its own, and what has ever lived in it. */
export class Supervised {
  readonly clock = new SimulatedClock();
  readonly started: string[] = [];
  readonly faults: string[] = [];
  readonly escalations: unknown[] = [];
  readonly root: AnyActorRef;
  private readonly everyone: AnyActorRef[] = [];

  constructor(children: readonly ChildSpec[], restart: Partial<RestartSpec> = {}) {
    const { clock } = this;
    this.root = createRoot(createSupervisor('tree'), {
      id: 'tree',
      input: {
        children,
        restart: { ...defaultRestart, jitter: 0, ...restart },
        clock,
        deadlines: new Deadlines(clock),
        random: seededRandom(1),
        onStarted: (id) => this.started.push(`${id}@${clock.now()}`),
        onFault: (id) => this.faults.push(id),
      },
      clock,
      logger: silentLogger,
      inspect: (event: InspectionEvent) => {
        if (event.type === '@xstate.actor') this.everyone.push(event.actorRef as AnyActorRef);
      },
      onFault: (error) => this.escalations.push(error),
    });
    this.root.start();
  }

  get snapshot(): SupervisorSnapshot {
    return this.root.getSnapshot() as SupervisorSnapshot;
  }

  /** Names of the children that live, in the order of their start. */
  get living(): string[] {
    return [...this.snapshot.children.keys()];
  }

  /** Every actor that is active now, at whatever depth. */
  get census(): number {
    return this.everyone.filter(
      (actor) => (actor.getSnapshot() as { status: string }).status === 'active',
    ).length;
  }

  tell(id: string, type: string): void {
    this.snapshot.children.get(id)?.send({ type });
  }

  /** Lets time pass until nothing is waited for. */
  settle(): void {
    while (this.clock.step()) continue;
  }

  /** Lets time pass up to the next thing that was waited for. */
  step(): boolean {
    return this.clock.step();
  }

  stop(): void {
    this.root.send({ type: 'supervisor.stop' });
  }
}
