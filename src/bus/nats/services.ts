import type { Msg, Subscription } from 'nats';
import type { BusService } from '../bus-service.ts';
import type { NatsLink } from './link.ts';

/** The three questions of the services protocol of NATS (ADR-32), which `nats micro` asks. */
const verbs = ['PING', 'INFO', 'STATS'] as const;

type Verb = (typeof verbs)[number];

const nameForm = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Answers the tools of NATS about a service until the function returned is called. Where the server forbids it,
 * nothing is shown, and the fault is reported.
 */
export function serveMicro(link: NatsLink, service: BusService): () => void {
  const { name, id } = service;
  if (!nameForm.test(name) || !nameForm.test(id))
    throw new Error(`"${name}" or "${id}" is no name of a service`);
  const subscriptions = verbs.flatMap((verb) =>
    [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`].map((subject) =>
      listen(link, subject, () => JSON.stringify(answers[verb](service))),
    ),
  );
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}

/** What a callback throws would end the client's read loop. */
function listen(link: NatsLink, subject: string, answer: () => string): Subscription {
  return link.connection.subscribe(subject, {
    callback: (error, message: Msg) => {
      if (error) return link.fault(error, subject);
      link.deliver(() => message.respond(answer()));
    },
  });
}

const answers: { readonly [verb in Verb]: (service: BusService) => object } = {
  PING: (service) => ({ type: 'io.nats.micro.v1.ping_response', ...identity(service) }),
  INFO: (service) => ({
    type: 'io.nats.micro.v1.info_response',
    ...identity(service),
    description: service.description,
    endpoints: [endpoint(service)],
  }),
  STATS: (service) => {
    const { requests, errors, lastError, busyMs, data } = service.stats();
    const processing = Math.round(busyMs * 1e6);
    return {
      type: 'io.nats.micro.v1.stats_response',
      ...identity(service),
      started: service.started,
      endpoints: [
        {
          ...endpoint(service),
          num_requests: requests,
          num_errors: errors,
          last_error: lastError,
          processing_time: processing,
          average_processing_time: requests === 0 ? 0 : Math.round(processing / requests),
          data,
        },
      ],
    };
  },
};

function identity({ name, id, version, metadata }: BusService): object {
  return { name, id, version, metadata };
}

function endpoint({ endpoint: { name, subject, queue }, metadata }: BusService): object {
  return { name, subject, queue_group: queue, metadata };
}
