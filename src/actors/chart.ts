/** A state machine as plain data: what a chart of it shows. States and transitions stand in document order. */
export interface Chart {
  readonly id: string;
  readonly description: string;
  /** The root first; children after their parents. */
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
}

/** What a state is made of, in XState's words. */
export type ChartStateKind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history';

/** A state of a machine. */
export interface ChartState {
  /** The state's own id within the machine: `worker.running`. */
  readonly id: string;
  /** Its name in its parent. */
  readonly key: string;
  readonly parent: string | null;
  readonly kind: ChartStateKind;
  /** Ids of the states entered first, for a compound state. */
  readonly initial: readonly string[];
  /** Names of actions. */
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly { readonly id: string; readonly src: string }[];
  readonly description: string;
}

/** One arrow of a machine, or an event that it takes without moving. */
export interface ChartTransition {
  readonly from: string;
  /** Empty: the machine stays where it is. More than one: several regions at once. */
  readonly to: readonly string[];
  /** The event's type; empty for an `always` transition. */
  readonly event: string;
  /** The guard's name; empty: none. */
  readonly guard: string;
  readonly actions: readonly string[];
  readonly reenter: boolean;
  readonly description: string;
}

/** What is read of a machine; XState's machines have it, and so may a table-driven life cycle. */
export interface MachineLike {
  readonly id: string;
  readonly root: object;
}

/** What is read of a state node. Names follow XState 5. */
interface NodeLike {
  readonly id: string;
  readonly key: string;
  readonly type: ChartStateKind;
  readonly description?: string | undefined;
  readonly states: { readonly [key: string]: NodeLike };
  readonly initial?: { readonly target?: readonly NodeLike[] | undefined } | undefined;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[];
  readonly transitions: ReadonlyMap<string, readonly TransitionLike[]>;
  readonly always?: readonly TransitionLike[] | undefined;
}

interface TransitionLike {
  readonly target?: readonly NodeLike[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter?: boolean;
  readonly description?: string | undefined;
}

/** The chart of a machine: every state, with `always` transitions, initial states and invoked actors, which graph exports tend to leave out. */
export function chartOf(machine: MachineLike): Chart {
  const root = machine.root as NodeLike;
  const states: ChartState[] = [];
  const transitions: ChartTransition[] = [];
  collect(root, null, { states, transitions });
  return { id: machine.id, description: root.description ?? '', states, transitions };
}

interface Collected {
  readonly states: ChartState[];
  readonly transitions: ChartTransition[];
}

function collect(node: NodeLike, parent: string | null, into: Collected): void {
  into.states.push(stateOf(node, parent));
  for (const transition of node.always ?? [])
    into.transitions.push(transitionOf(node, '', transition));
  for (const [event, candidates] of node.transitions) {
    for (const transition of candidates)
      into.transitions.push(transitionOf(node, event, transition));
  }
  for (const child of Object.values(node.states)) collect(child, node.id, into);
}

function stateOf(node: NodeLike, parent: string | null): ChartState {
  return {
    id: node.id,
    key: node.key,
    parent,
    kind: node.type,
    initial: node.type === 'compound' ? idsOf(node.initial?.target) : [],
    entry: node.entry.map(nameOf),
    exit: node.exit.map(nameOf),
    invokes: node.invoke.map(({ id, src }) => ({ id, src: nameOf(src) })),
    description: node.description ?? '',
  };
}

function transitionOf(node: NodeLike, event: string, transition: TransitionLike): ChartTransition {
  return {
    from: node.id,
    to: idsOf(transition.target),
    event,
    guard: transition.guard === undefined ? '' : nameOf(transition.guard),
    actions: transition.actions.map(nameOf),
    reenter: transition.reenter ?? false,
    description: transition.description ?? '',
  };
}

function idsOf(nodes: readonly NodeLike[] | undefined): readonly string[] {
  return (nodes ?? []).map(({ id }) => id);
}

/** A name as the machine's config wrote it: a string or `{ type }`. A function there has no name of its own worth showing. */
function nameOf(named: unknown): string {
  if (typeof named === 'string') return named;
  if (typeof named === 'function') return builtInName(named) ?? 'inline';
  const type = (named as { type?: unknown } | null)?.type;
  return typeof type === 'string' ? type : 'inline';
}

/** XState's action creators mark what they make with a type such as `xstate.assign`. */
function builtInName(made: object): string | undefined {
  const type = (made as { type?: unknown }).type;
  return typeof type === 'string' ? type.replace(/^xstate\./, '') : undefined;
}
