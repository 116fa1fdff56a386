import { setup } from './xstate.ts';

/** What the machine needs of a bus: how it stands, and every change of that. */
export interface LinkedBus {
  readonly state: LinkState;
  /** The function returned ends the listening. */
  onStatus(listener: (status: { readonly state: LinkState }) => void): () => void;
}

/** How a bus can stand. */
type LinkState = 'connected' | 'disconnected' | 'closed';

/** What a link is made from. */
export interface BusLinkInput {
  /** For people: `embedded`, or where the server is. */
  readonly name: string;
  readonly bus: LinkedBus;
  /** Told when the connection has gone and when it is back. */
  readonly onChange: (name: string, state: 'connected' | 'disconnected') => void;
}

/** Every message that a link may receive. */
export type BusLinkEvent =
  | { readonly type: 'bus.connected' }
  | { readonly type: 'bus.disconnected' }
  | { readonly type: 'bus.closed' };

interface LinkContext {
  readonly input: BusLinkInput;
  /** Ends the listening to the bus. */
  readonly listening: { stop: () => void };
}

type Args = {
  readonly context: LinkContext;
  readonly self: { send(event: BusLinkEvent): void };
};

/** From now on changes come as events; the present state is the first. */
function listen({ context, self }: Args): void {
  const { bus } = context.input;
  const tell = (state: LinkState): void => self.send({ type: `bus.${state}` });
  context.listening.stop = bus.onStatus(({ state }) => tell(state));
  tell(bus.state);
}

const linkSetup = setup({
  types: {} as { context: LinkContext; events: BusLinkEvent; input: BusLinkInput },
  actions: {
    listen,
    unlisten: ({ context }) => context.listening.stop(),
    tellConnected: ({ context: { input } }) => input.onChange(input.name, 'connected'),
    tellDisconnected: ({ context: { input } }) => input.onChange(input.name, 'disconnected'),
  },
});

/**
 * The connection to a bus: connecting, connected, disconnected while the driver tries again, closed. It
 * decides nothing: runs go on without a bus, and what waits for one waits in the driver.
 */
export const busLinkMachine = linkSetup.createMachine({
  id: 'bus_link',
  context: ({ input }) => ({ input, listening: { stop: () => undefined } }),
  initial: 'connecting',
  entry: 'listen',
  exit: 'unlisten',
  on: { 'bus.closed': '.closed' },
  states: {
    connecting: {
      on: { 'bus.connected': 'connected', 'bus.disconnected': 'disconnected' },
    },
    connected: {
      on: { 'bus.disconnected': { target: 'disconnected', actions: 'tellDisconnected' } },
    },
    disconnected: {
      on: { 'bus.connected': { target: 'connected', actions: 'tellConnected' } },
    },
    closed: { type: 'final' },
  },
});
